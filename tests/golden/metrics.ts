// Golden cases of metrics: similarities of pictures by the engine, distances of features on the host.

import { cast, div, type Tensor } from "../../engine/mod.ts";
import {
  featureMoments,
  frechetDistance,
  msSsim,
  msSsimTerms,
  ssim,
  type SsimOptions,
  ssimTerms,
} from "../../metrics/mod.ts";
import type { Attributes } from "./cases.ts";
import type { Inputs, Operation } from "./operations.ts";
import type { Program } from "./training.ts";

function pictures({ x, y }: Inputs, { divisor }: Attributes): [Tensor, Tensor] {
  return [div(cast(x, "f32"), divisor), div(cast(y, "f32"), divisor)];
}

function settings({ window: windowSize, sigma, range, K1: k1, K2: k2 }: Attributes): SsimOptions {
  return { windowSize, sigma, range, k1, k2 };
}

/** Every similarity by its golden name. */
export const similarities: Readonly<Record<string, Operation>> = {
  ssim: (i, a) => {
    const [x, y] = pictures(i, a), options = settings(a);
    const { ssim: byChannel, contrastStructure } = ssimTerms(x, y, options);
    return { out: ssim(x, y, options), extra: { ssim_nc: byChannel, cs_nc: contrastStructure } };
  },
  ms_ssim: (i, a) => {
    const [x, y] = pictures(i, a), options = { ...settings(a), weights: a.weights };
    return { out: msSsim(x, y, options), extra: { terms_mnc: msSsimTerms(x, y, options) } };
  },
};

/** Every distance by its golden name. */
export const distances: Readonly<Record<string, Program>> = {
  frechet: ({ mean1, cov1, mean2, cov2 }) => ({
    out: [frechetDistance(
      { mean: mean1.data, covariance: cov1.data },
      { mean: mean2.data, covariance: cov2.data },
    )],
  }),
  frechet_features: ({ x, y }) => {
    const [a, b] = [x, y].map(({ data, shape }) => featureMoments(data, { dimensions: shape[1] }));
    return { out: [frechetDistance(a, b)], mean1: [...a.mean], cov1: [...a.covariance] };
  },
};

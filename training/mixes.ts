// Mixes of values: what a generator is asked for that is neither one class nor the other.

import { concat, mul, reshape, slice, sum, type Tensor, tensor } from "../engine/mod.ts";
import type { Condition, PictureRequest, Share } from "../plugin/mod.ts";

/** The request with a mix of values of one condition, in its own way: as a value, or as a mix of codes. */
export function withMix(
  request: PictureRequest,
  condition: Condition,
  options: { conditions: readonly Condition[]; shares: readonly Share[] },
): PictureRequest {
  const { conditions, shares } = options, { name } = condition;
  const index = conditions.findIndex((other) => other.name === name);
  const { [name]: _, ...others } = request.mixes ?? {};
  const value = shares.length > 1 ? condition.mix?.(shares) : shares[0].value;
  if (value) {
    const values = request.values.with(index, value);
    return { ...request, values, ...(request.mixes && { mixes: others }) };
  }
  const heaviest = shares.reduce((a, b) => b.weight > a.weight ? b : a);
  return {
    ...request,
    values: request.values.with(index, heaviest.value),
    mixes: { ...others, [name]: shares },
  };
}

/** What a request asks for of a condition: its mix, or its value alone. */
export function sharesIn(
  request: PictureRequest,
  condition: Condition,
  index: number,
): readonly Share[] {
  return request.mixes?.[condition.name] ?? [{ value: request.values[index], weight: 1 }];
}

export function isMixed({ mixes = {} }: PictureRequest): boolean {
  return Object.keys(mixes).length > 0;
}

/** Requests as tensors: all have as many shares as the greatest mix, the last ones of weight 0. */
export interface Shares {
  /** `[conditions, batch, shares]`. */
  readonly weights: Tensor;
  /** For each condition `[batch * shares, ...]`, a picture's shares one after the other. */
  readonly values: readonly Tensor[];
}

/** The shares of some requests as tensors. */
export function sharesOf(
  requests: readonly PictureRequest[],
  conditions: readonly Condition[],
): Shares {
  const all = conditions.map((condition, k) =>
    requests.map((request) => sharesIn(request, condition, k))
  );
  const most = Math.max(1, ...all.flat().map(({ length }) => length));
  const filled = all.map((ofPictures) =>
    ofPictures.map((shares) =>
      Array.from({ length: most }, (_, i) => shares[i] ?? { value: shares[0].value, weight: 0 })
    )
  );
  const weights = filled.flat(2).map(({ weight }) => weight);
  return {
    weights: tensor(Float32Array.from(weights), [conditions.length, requests.length, most]),
    values: conditions.map((condition, k) =>
      condition.tensor(filled[k].flat().map(({ value }) => value))
    ),
  };
}

/** The mean codes of all conditions side by side, `[batch, sum of code sizes]`, of what {@linkcode sharesOf} gave. */
export function encodeMixed(
  conditions: readonly Condition[],
  values: readonly Tensor[],
  weights: Tensor,
): Tensor {
  const [, batch, shares] = weights.shape;
  return concat(
    conditions.map((condition, k) => {
      const codes = reshape(condition.encode(values[k]), [batch, shares, condition.codeSize]);
      const ofCondition = reshape(slice(weights, [[k, k + 1]]), [batch, shares, 1]);
      return sum(mul(codes, ofCondition), { dim: 1 });
    }),
    { dim: 1 },
  );
}

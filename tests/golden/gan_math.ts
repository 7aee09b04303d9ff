// Losses and penalties of GANs on two tiny nets, whose weights are inputs of the case.

import {
  add,
  batchNorm,
  batchNormInference,
  binaryCrossEntropyWithLogits,
  concat,
  conv2d,
  crossEntropy,
  detach,
  embedding,
  exp,
  flatten,
  grad,
  leakyRelu,
  linear,
  mean,
  mul,
  neg,
  norm,
  oneHot,
  pixelShuffle,
  relu,
  reshape,
  slice,
  square,
  sub,
  sum,
  tanh,
  type Tensor,
  unsqueeze,
} from "../../engine/mod.ts";
import { d2dCe } from "../../plugins/d2d_ce.ts";
import { perturb, slopePenalty } from "../../plugins/dragan.ts";
import { projection } from "../../plugins/projection.ts";
import { squaredSlope } from "../../plugins/r1.ts";
import { between, unitSlopePenalty } from "../../plugins/wasserstein.ts";
import type { Attributes } from "./cases.ts";
import type { Inputs, Operation } from "./operations.ts";

/** Source logits [N, 1] and class logits [N, K]. */
interface Verdict {
  readonly src: Tensor;
  readonly cls: Tensor;
}

/** The inputs whose names start with `prefix`, under what follows it. */
export function part<T>(inputs: Readonly<Record<string, T>>, prefix: string): Record<string, T> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : []
    ),
  );
}

function normalized(x: Tensor, p: Inputs, name: string): Tensor {
  return batchNorm(x, { weight: p[`${name}.weight`], bias: p[`${name}.bias`] }).output;
}

function tinyDiscriminator(p: Inputs, x: Tensor): Verdict {
  const activate = (t: Tensor): Tensor => leakyRelu(t, { negativeSlope: 0.2 });
  let h = conv2d(x, p["conv1.weight"], { bias: p["conv1.bias"], stride: 2, padding: 1 });
  h = conv2d(activate(h), p["conv2.weight"], { bias: p["conv2.bias"], stride: 2, padding: 1 });
  if (p["bn2.weight"]) h = normalized(h, p, "bn2");
  h = flatten(activate(h), { start: 1 });
  const head = (name: string): Tensor =>
    linear(h, p[`${name}.weight`], { bias: p[`${name}.bias`] });
  return { src: head("src"), cls: p["cls.weight"] ? head("cls") : h };
}

function tinyGenerator(p: Inputs, z: Tensor, c: Tensor, classes: number): Tensor {
  const fc = linear(concat([z, oneHot(c, classes)], { dim: 1 }), p["fc.weight"], {
    bias: p["fc.bias"],
  });
  const channels = p["bn0.weight"].size, side = Math.sqrt(fc.shape[1] / channels);
  let h = relu(normalized(reshape(fc, [-1, channels, side, side]), p, "bn0"));
  h = pixelShuffle(conv2d(h, p["conv1.weight"], { padding: 1 }), 2);
  h = relu(normalized(h, p, "bn1"));
  return tanh(conv2d(h, p["conv2.weight"], { bias: p["conv2.bias"], padding: 1 }));
}

const bce = binaryCrossEntropyWithLogits;

/** The four terms of an ACGAN discriminator's loss: source and class, each on reals and on fakes. */
export function discriminatorTerms(
  real: Verdict,
  fake: Verdict,
  labels: { y: Tensor; c: Tensor },
): Tensor[] {
  return [
    bce(real.src, 1),
    bce(fake.src, 0),
    crossEntropy(real.cls, labels.y),
    crossEntropy(fake.cls, labels.c),
  ];
}

const total = (terms: readonly Tensor[]): Tensor => terms.reduce((a, b) => add(a, b));

/** Gradients of the source logits for the picture, and their length for each sample. */
export function gradientNorms(
  discriminator: (x: Tensor) => Verdict,
  at: Tensor,
): { gradients: Tensor; norms: Tensor } {
  const x = detach(at);
  const [gradients] = grad(sum(discriminator(x).src), [x]);
  return { gradients, norms: norm(gradients, { dim: [1, 2, 3] }) };
}

/** Where DRAGAN takes gradients. */
export function draganPoint(real: Tensor, u: Tensor): Tensor {
  return perturb(real, { u, noise: 0.5 });
}

/** lambda * mean((|gradient| - 1)^2). */
export function unitPenalty(norms: Tensor, lambda: number): Tensor {
  return mul(mean(square(sub(norms, 1))), lambda);
}

function lossOnNets(i: Inputs): { loss: Tensor; extra: Record<string, Tensor> } {
  const d = part(i, "D.");
  const real = tinyDiscriminator(d, i.x_real), fake = tinyDiscriminator(d, i.x_fake);
  const loss = total(discriminatorTerms(real, fake, { y: i.y, c: i.c }));
  const extra = { src_real: real.src, src_fake: fake.src, cls_real: real.cls, cls_fake: fake.cls };
  return { loss, extra };
}

function penaltyAt(i: Inputs, point: Tensor): { gradients: Tensor; norms: Tensor } {
  const d = part(i, "D.");
  return gradientNorms((x) => tinyDiscriminator(d, x), point);
}

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/** Every operation of the family `gan_math`. */
export const ganMath: Readonly<Record<string, Operation>> = {
  acgan_d_loss: (i) =>
    total(discriminatorTerms(
      { src: i.src_real, cls: i.cls_real },
      { src: i.src_fake, cls: i.cls_fake },
      { y: i.y, c: i.c },
    )),
  acgan_g_loss: (i) => add(bce(i.src_fake, 1), crossEntropy(i.cls_fake, i.c)),
  acgan_d_loss_net: (i) => {
    const { loss, extra } = lossOnNets(i);
    return { out: loss, extra };
  },
  acgan_g_loss_net: (i, { classes }) => {
    const image = tinyGenerator(part(i, "G."), i.z, i.c, classes);
    const { src, cls } = tinyDiscriminator(part(i, "D."), image);
    return { out: add(bce(src, 1), crossEntropy(cls, i.c)), extra: { image, src, cls } };
  },
  dragan_penalty: (i, { lambda }) => {
    const at = draganPoint(i.x_real, i.u), { gradients, norms } = penaltyAt(i, at);
    const source = (x: Tensor): Tensor => tinyDiscriminator(part(i, "D."), x).src;
    const penalty = slopePenalty(source, { at, k: 1 });
    return { out: mul(penalty, lambda), extra: { grad_x: gradients, norms } };
  },
  wgan_gp_penalty: (i, { lambda }) => {
    const at = between(i.x_real, i.x_fake, { share: i.eps });
    const { gradients, norms } = penaltyAt(i, at);
    const penalty = unitSlopePenalty((x) => tinyDiscriminator(part(i, "D."), x).src, { at });
    return { out: mul(penalty, lambda), extra: { grad_x: gradients, norms } };
  },
  r1_penalty: (i, { gamma }) => {
    const { gradients, norms } = penaltyAt(i, i.x_real);
    const penalty = squaredSlope((x) => tinyDiscriminator(part(i, "D."), x).src, { at: i.x_real });
    return { out: mul(penalty, gamma / 2), extra: { grad_x: gradients, norms } };
  },
  acgan_dragan_d_loss_net: (i, { lambda }) => {
    const { loss, extra } = lossOnNets(i);
    const { norms } = penaltyAt(i, draganPoint(i.x_real, i.u));
    const penalty = unitPenalty(norms, lambda);
    return { out: add(loss, penalty), extra: { ...extra, penalty, norms } };
  },
  infogan_cont_nll: ({ mu, logvar, c }) => {
    const scaled = mul(square(sub(c, mu)), exp(neg(logvar)));
    return mean(sum(add(mul(add(logvar, scaled), 0.5), halfLogTwoPi), { dim: 1 }));
  },
  infogan_cont_nll_fixed: ({ mu, c }, { sigma }) => {
    const scaled = mul(square(sub(c, mu)), 1 / (2 * sigma ** 2));
    return mean(sum(add(scaled, halfLogTwoPi + Math.log(sigma)), { dim: 1 }));
  },
  infogan_cat: ({ logits, codes }, { sizes }) => {
    let start = 0;
    return total(sizes.map((size: number, j: number) => {
      const stretch = slice(logits, [null, [start, start += size]]);
      const code = reshape(slice(codes, [null, [j, j + 1]]), [-1]);
      return crossEntropy(stretch, code);
    }));
  },
  conditional_batch_norm: (i, attributes) => {
    const { h, extra } = conditionalStatistics(i, attributes);
    const perSample = (table: Tensor): Tensor =>
      reshape(embedding(i.y, table), [i.y.size, -1, 1, 1]);
    return { out: add(mul(h, perSample(i.gamma)), perSample(i.beta)), extra };
  },
  projection_discriminator: (i) => {
    const seen = relu(i.features), h = sum(seen, { dim: [2, 3] });
    const projected = projection(reshape(seen, [seen.shape[0], -1]), i.y, { embedding: i.embed });
    return add(linear(h, i.weight, { bias: i.bias }), unsqueeze(projected, 1));
  },
  d2d_ce: ({ embed, proxy, y }, { temperature, m_p: positive, m_n: negative }) =>
    d2dCe(embed, proxy, { classes: y, positive, negative, temperature }),
};

function conditionalStatistics(
  i: Inputs,
  { training, momentum, eps }: Attributes,
): { h: Tensor; extra: Record<string, Tensor> } {
  const { x, running_mean: runningMean, running_var: runningVar } = i;
  if (!training) {
    return {
      h: batchNormInference(x, { mean: runningMean, variance: runningVar, eps }),
      extra: {},
    };
  }
  const { output, mean, variance } = batchNorm(x, { eps });
  const count = x.size / mean.size;
  const move = (old: Tensor, batch: Tensor): Tensor =>
    add(mul(old, 1 - momentum), mul(batch, momentum));
  const extra = {
    running_mean: move(runningMean, mean),
    running_var: move(runningVar, mul(variance, count / (count - 1))),
  };
  return { h: output, extra };
}

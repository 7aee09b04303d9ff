// Figures of a step by which a training that goes wrong is told early.

import {
  add,
  amin,
  avgPool2d,
  cast,
  div,
  gt,
  maximum,
  mean,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  type Tensor,
  tensor,
} from "../engine/mod.ts";

/** What a step is looked at by. */
export const HEALTH_NAMES: readonly string[] = ["d.auc", "diversity"];

/** Pictures are averaged down to about this side before they are compared. */
const SIDE = 8;
/** At most so many pictures of a batch are compared, each with each. */
const MOST = 32;

/** Pictures `[batch, 3, size, size]` as they are drawn, before anything augments them, and D's logits `[batch]`. */
export interface Seen {
  readonly images: Tensor;
  readonly source: Tensor;
}

/**
 * - `d.auc`: of all pairs of a real picture and a fake, the share in which the discriminator finds the real
 *   one more real. It is 1/2 where D cannot tell them and 1 where it always can, whatever the scale and the
 *   offset of its logits.
 * - `diversity`: how far a fake is from the fake of its batch that is most like it, over the same of real
 *   pictures. It falls towards 0 where the generator draws a few pictures again and again, even if those
 *   are far apart, which a mean over all pairs would not tell.
 */
export function health({ real, fake }: { real: Seen; fake: Seen }): Record<string, Tensor> {
  const [n] = real.source.shape, [m] = fake.source.shape;
  const told = gt(reshape(real.source, [n, 1]), reshape(fake.source, [1, m]));
  return {
    "d.auc": mean(cast(told, "f32")),
    // A batch that has one picture twice, and no other, must not divide by 0.
    diversity: div(nearest(fake.images), maximum(nearest(real.images), 1e-6)),
  };
}

/** The mean distance of a picture to the one of its batch that is most like it. */
function nearest(images: Tensor): Tensor {
  const [batch, , size] = images.shape;
  const count = Math.min(batch, MOST);
  const few = count < batch ? slice(images, [[0, count]]) : images;
  const window = windowOf(size);
  const small = window > 1 ? avgPool2d(few, { kernelSize: window }) : few;
  const length = small.size / count;
  const apart = sub(reshape(small, [count, 1, length]), reshape(small, [1, count, length]));
  const distances = sqrt(mean(square(apart), { dim: 2 }));
  // Nobody is their own neighbour.
  const self = Float32Array.from(
    { length: count ** 2 },
    (_, at) => at % (count + 1) === 0 ? 1e9 : 0,
  );
  return mean(amin(add(distances, tensor(self, [count, count])), { dim: 1 }));
}

/** The widest window that divides the side and leaves at least {@linkcode SIDE}. */
function windowOf(size: number): number {
  let window = Math.max(1, Math.floor(size / SIDE));
  while (size % window !== 0) window--;
  return window;
}

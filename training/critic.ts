import {
  add,
  compile,
  type Compiled,
  concat,
  expand,
  mul,
  neg,
  read,
  reshape,
  slice,
  softplus,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../engine/mod.ts";
import type { DiscriminatorNetwork } from "../models/mod.ts";
import type { Asked, Condition, PictureRequest } from "../plugin/mod.ts";
import { hasHead } from "./acgan.ts";
import { sharesOf } from "./mixes.ts";
import { fromBytes } from "./pictures.ts";

/** Pictures are judged so many at once; each has losses of its own in the plan, which takes long to make for many. */
const CHUNK = 4;

const ASKED: Asked = { network: "generator", pictures: "fake" };

/**
 * Has a trained discriminator, in inference mode, say how good pictures are. A picture's score depends on itself
 * alone.
 */
export class Critic {
  readonly #conditions: readonly Condition[];
  readonly #size: number;
  readonly #score: Compiled<Tensor>;

  /** @param options.size side of the pictures in pixels. */
  constructor(
    discriminator: DiscriminatorNetwork,
    conditions: readonly Condition[],
    options: { size: number },
  ) {
    discriminator.eval();
    this.#conditions = conditions;
    this.#size = options.size;
    this.#score = compile((bytes: Tensor, weights: Tensor, ...values: Tensor[]) => {
      const verdict = discriminator.forward(fromBytes(bytes));
      const features = verdict.features[verdict.features.length - 1];
      let { source } = verdict, obeyed: Tensor | undefined;
      conditions.forEach((condition, k) => {
        const ofCondition = reshape(slice(weights, [[k, k + 1]]), weights.shape.slice(1));
        if (condition.logit) {
          const [batch, shares] = ofCondition.shape;
          const added = condition.logit(repeatRows(features, shares), values[k], ASKED);
          source = add(source, sum(mul(reshape(added, [batch, shares]), ofCondition), { dim: 1 }));
        }
        if (!hasHead(condition)) return;
        const lost = losses(condition, verdict.heads[condition.name], values[k], ofCondition);
        obeyed = obeyed ? sub(obeyed, lost) : neg(lost);
      });
      const real = neg(softplus(neg(source)));
      return obeyed ? add(real, obeyed) : real;
    }, { name: "judge" });
  }

  /**
   * For each picture, `[count, 3, size, size]` as bytes, the logarithm of how likely it is real and of what was
   * asked for, as the discriminator sees it: AC-GAN's L_S + L_C of the one picture. Of a mix, by its weights.
   */
  async score(pictures: Uint8Array, requests: readonly PictureRequest[]): Promise<number[]> {
    const bytes = 3 * this.#size ** 2;
    if (pictures.length !== requests.length * bytes) {
      throw new RangeError(
        `${requests.length} pictures of ${this.#size}x${this.#size} need ` +
          `${requests.length * bytes} bytes, got ${pictures.length}`,
      );
    }
    const scores: number[] = [];
    for (let start = 0; start < requests.length; start += CHUNK) {
      // The last chunk is filled up, so that one plan serves all.
      const chunk = Array.from({ length: CHUNK }, (_, i) => requests[start + i] ?? requests[start]);
      const images = new Uint8Array(CHUNK * bytes);
      images.set(pictures.subarray(start * bytes, (start + CHUNK) * bytes));
      const { weights, values } = sharesOf(chunk, this.#conditions);
      const shape = [CHUNK, 3, this.#size, this.#size];
      const [found] = await read([this.#score(tensor(images, shape), weights, ...values)]);
      scores.push(...found.subarray(0, Math.min(CHUNK, requests.length - start)));
    }
    return scores;
  }
}

/** How well a picture is what it was asked to be is judged as of real ones. */
const AS_REAL: Asked = { network: "discriminator", pictures: "real" };

/**
 * Each picture's loss of a condition, `[batch]`: its head is asked alone, for a condition's own loss is a mean over
 * a batch.
 */
function losses(
  condition: Condition & Required<Pick<Condition, "loss">>,
  head: Tensor,
  values: Tensor,
  weights: Tensor,
): Tensor {
  const [batch, shares] = weights.shape;
  const rows = Array.from({ length: batch }, (_, i) => {
    const own = slice(head, [[i, i + 1]]);
    const lost = Array.from({ length: shares }, (_, s) => {
      const at = i * shares + s;
      return reshape(condition.loss(own, slice(values, [[at, at + 1]]), AS_REAL), [1]);
    });
    return concat(lost);
  });
  return sum(mul(reshape(concat(rows), [batch, shares]), weights), { dim: 1 });
}

/** Each row `times` times, one after the other. */
function repeatRows(x: Tensor, times: number): Tensor {
  const [rows, length] = x.shape;
  return reshape(expand(reshape(x, [rows, 1, length]), [rows, times, length]), [-1, length]);
}

// Random numbers: Philox 4x32-10 on the device (Salmon et al., "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011), a pure function of seed, draw and element.

import { checkShape, formatShape, type Shape } from "../dtype.ts";
import type { PointwiseOp, Reader } from "../op.ts";
import type { Index } from "../compile/index_expression.ts";
import { Tensor } from "../tensor.ts";
import { Variable } from "../variable.ts";
import { cast } from "./cast.ts";
import { detachOp, floor, minimum, mul } from "./elementwise.ts";

/** The state's words as WGSL expressions: seed (low, high), draws so far. */
function words(reader: Reader, index: Index, state: Tensor): string[] {
  return [0, 1, 2].map((i) => reader.read(state, index.at(state.shape, [`${i}u`])));
}

function randomOp(name: string, pick: (bits: string, element: string) => string): PointwiseOp {
  return {
    name,
    kind: "pointwise",
    cost: 4,
    elementwise: false,
    emit(reader, index, { inputs: [state] }) {
      reader.use("math");
      reader.use("philox");
      const [low, high, draw] = words(reader, index, state);
      const element = index.offset;
      const counter = `vec4<u32>(${element} / 4u, ${draw}, 0u, 0u)`;
      return pick(`philox4x32(${counter}, vec2<u32>(${low}, ${high}))`, element);
    },
  };
}

const uniformOp = randomOp("uniform", (bits, element) => `philox_uniform(${bits}, ${element})`);
const normalOp = randomOp("normal", (bits, element) => `philox_normal(${bits}, ${element})`);

/** Counts draws: adds `by` to the state's third word. */
const advanceOp: PointwiseOp = {
  name: "advance",
  kind: "pointwise",
  cost: 0.1,
  elementwise: true,
  emit(reader, index, { inputs: [state], attributes }) {
    return `(${reader.read(state, index)} + select(0u, ${attributes.by}u, ${index.offset} == 2u))`;
  },
};

/** The state of a stream that begins. */
function wordsOf(seed: number): Uint32Array<ArrayBuffer> {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`Cannot seed a generator with ${seed}: a whole number is needed`);
  }
  return new Uint32Array([seed % 2 ** 32, Math.floor(seed / 2 ** 32), 0, 0]);
}

/**
 * A stream of random numbers on the device. Its state is a variable, so a checkpoint that keeps it continues
 * the stream exactly. Draws are made inside compiled functions; each takes the next number of the stream.
 *
 * @example
 * ```ts
 * import { assertNotEquals } from "@std/assert";
 * import { compile, Device, Generator, read } from "../mod.ts";
 * await Device.open();
 * const random = new Generator(7);
 * const noise = compile(() => random.normal([16, 100]));
 * const [first] = await read([noise()]);
 * const [second] = await read([noise()]);
 * assertNotEquals(first, second);
 * ```
 */
export class Generator {
  /** Seed (low and high word), number of draws, and a word that is not used. */
  readonly state: Variable;

  /**
   * Begins a stream.
   *
   * @param seed a whole number from 0 to 2^53 - 1.
   */
  constructor(seed: number) {
    this.state = new Variable(wordsOf(seed), [4], { name: "generator" });
  }

  /** Begins another stream in place of this one, between calls of compiled functions. */
  reseed(seed: number): void {
    this.state.set(wordsOf(seed));
  }

  #draw(op: PointwiseOp, shape: Shape): Tensor {
    checkShape("draw a tensor", shape);
    const state = this.state.value;
    const drawn = new Tensor(op, [state], {}, shape, "f32");
    // One node counts all draws since the step began, however many there are.
    const last = state.op === detachOp ? state.inputs[0] : state;
    const [root, by] = last.op === advanceOp ? [last.inputs[0], last.attributes.by] : [last, 0];
    this.state.assign(new Tensor(advanceOp, [root], { by: by + 1 }, [4], "u32"));
    return drawn;
  }

  /** Numbers from [0, 1). */
  uniform(shape: Shape): Tensor {
    return this.#draw(uniformOp, shape);
  }

  /** Numbers of mean 0 and variance 1, by Box and Muller's transform. */
  normal(shape: Shape): Tensor {
    return this.#draw(normalOp, shape);
  }

  /**
   * Whole numbers from 0 to `high` - 1, as i32.
   *
   * @throws {RangeError} where `high` is not from 1 to 2^24, the numbers that f32 tells apart.
   */
  randint(high: number, shape: Shape): Tensor {
    if (!Number.isInteger(high) || high < 1 || high > 2 ** 24) {
      throw new RangeError(
        `Cannot randint below ${high} for a tensor of shape ${
          formatShape(shape)
        }: a whole number ` +
          `from 1 to 2^24 is needed`,
      );
    }
    return cast(minimum(floor(mul(this.uniform(shape), high)), high - 1), "i32");
  }
}

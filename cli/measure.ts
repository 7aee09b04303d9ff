import { add, compile, type Device, matmul, read, Variable } from "../engine/mod.ts";

/** What {@linkcode measureRates} found. */
export interface Rates {
  /** The side of the square matrices that were multiplied. */
  readonly side: number;
  /** Floating point operations of a matrix product, in 10^9 a second. */
  readonly gflops: number;
  /** Bytes read and written by an element-wise addition, in 10^9 a second. */
  readonly gigabytes: number;
  /** The largest difference between products of that adapter and of JavaScript, relative to 1. */
  readonly error: number;
}

/** How long each rate is measured at least. */
const SECONDS = 0.25;

/** Multiplies matrices and copies numbers for about a second, through the engine as it trains. */
export async function measureRates(device: Device): Promise<Rates> {
  const side = device.adapter.cpu ? 512 : 2048;
  const a = new Variable(ramp(side * side), [side, side]);
  const b = new Variable(ramp(side * side), [side, side]);
  const calls = new Variable([0], [1]);
  const product = compile(() => {
    calls.assign(add(calls, 1)); // As in training: operands are laid out in each call, not kept.
    return matmul(a, b);
  }, { name: "product" });
  const productSeconds = await secondsPerCall(product);

  const numbers = new Variable(new Float32Array(8 * side * side), [8 * side * side]);
  const copySeconds = await secondsPerCall(compile(() => add(numbers, 1), { name: "copy" }));

  const [values] = await read([product()]);
  return {
    side,
    gflops: 2 * side ** 3 / productSeconds / 1e9,
    gigabytes: 2 * 4 * numbers.size / copySeconds / 1e9,
    error: largestError(values, side),
  };
}

/** Calls until enough time has passed to tell, and waits for the adapter only at the end. */
async function secondsPerCall(call: () => unknown): Promise<number> {
  const done = new Variable([0], [1]);
  const wait = () => read([done]);
  call(); // Traces, compiles the shaders, and measures variants where there are several.
  await wait();
  const idle = await time(wait); // Reading back takes a while by itself.
  for (let calls = 1;; calls *= 2) {
    const seconds = await time(async () => {
      for (let i = 0; i < calls; i++) call();
      await wait();
    }) - idle;
    if (seconds >= SECONDS) return seconds / calls;
  }
}

async function time(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** Numbers between -0.5 and 0.5 without a pattern that errors could hide in. */
function ramp(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => i * 0.6180339887 % 1 - 0.5);
}

/** Checks one row and one column of the product of two {@linkcode ramp} matrices. */
function largestError(product: ArrayLike<number>, side: number): number {
  const numbers = ramp(side * side);
  const dot = (row: number, column: number) => {
    let sum = 0;
    for (let k = 0; k < side; k++) sum += numbers[row * side + k] * numbers[k * side + column];
    return sum;
  };
  let largest = 0;
  for (let i = 0; i < side; i++) {
    const inRow = product[7 * side + i] - dot(7, i);
    const inColumn = product[i * side + side - 3] - dot(i, side - 3);
    largest = Math.max(largest, Math.abs(inRow), Math.abs(inColumn));
  }
  return largest;
}

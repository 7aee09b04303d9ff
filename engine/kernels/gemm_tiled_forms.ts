// The forms that the matrix product of GPUs comes in, and a guess, without measuring, of which is fastest.

import type { KernelContext } from "./dispatch.ts";
import { MOST_ROUNDS } from "./gemm_grid.ts";

/** The size of a product, and how many independent ones there are. */
export interface ProductSize {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly slices: number;
  /** Whether an operand has its quads together in memory; a quad that is not is read number by number. */
  readonly quads?: { readonly a: boolean; readonly b: boolean };
  /** Whether it has to be found out, for each number that is read, where it lies. */
  readonly implicit?: boolean;
}

/** A workgroup's tile of results, `m` by `n`; it goes `k` deep at a time. */
export interface TileShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The results of one thread. */
  readonly thread: { readonly m: number; readonly n: number };
  readonly threads: number;
}

/** One way to run a product. */
export interface TiledForm {
  readonly tile: TileShape;
  /** Loads go out a slab ahead, for registers in return. */
  readonly prefetch: boolean;
  /** Into how many parts the depth is cut. */
  readonly splits: number;
  /** How deep a part is: whole slabs. */
  readonly length: number;
}

function shape(m: number, n: number, k: number, thread: { m: number; n: number }): TileShape {
  return { m, n, k, thread, threads: m * n / (thread.m * thread.n) };
}

/** Square ones for the most arithmetic a load, flat ones for products that have a short side. */
export const tileShapes: readonly TileShape[] = [
  shape(128, 128, 16, { m: 8, n: 8 }),
  shape(128, 64, 16, { m: 8, n: 8 }),
  shape(64, 128, 16, { m: 8, n: 8 }),
  shape(64, 64, 16, { m: 8, n: 4 }),
  shape(64, 32, 16, { m: 8, n: 4 }),
  shape(32, 64, 16, { m: 4, n: 8 }),
  shape(32, 32, 16, { m: 4, n: 4 }),
  shape(16, 64, 16, { m: 4, n: 4 }),
  shape(64, 16, 16, { m: 4, n: 4 }),
  shape(4, 256, 8, { m: 4, n: 4 }),
];

// The device that the guess is made for: NVIDIA's GH100. How many cores a GPU has, WebGPU does not tell.
const cores = 132, lanes = 128, registers = 65_536;

// Bytes that products get from its memory in a cycle.
const bytesPerCycle = 1400;

/** What all of its lanes do in a cycle. */
export const instructionsPerCycle: number = cores * lanes;

// Instructions besides a thread's multiplications: to take a quad out of workgroup memory; to read a quad that lies
// together, four numbers that do not, four whose places have to be found; to store a quad. Registers besides a
// thread's sums, and how many warps it takes to hide half of the waiting. With the cycles of a start and the bytes of a
// cycle they are what fits the times of 28 products in 10 tiles each on an H200 best, to 8 % in the mean.
const slabInstructions = 2.4, quadInstructions = 24, numbersInstructions = 37;
const lookupInstructions = 66, storeInstructions = 33;
const otherRegisters = 90, hidingWarps = 2.7;

/** What looks so many times slower than the best is not measured: the guess is not that far off. */
const HOPELESS = 1.6;

/** Cycles that a dispatch takes besides. */
export const startCycles = 5500;

// Scratch memory for parts, and how many there may be.
const mostBytes = 64 * 2 ** 20, mostSplits = 256;

/**
 * The variants of `tiled` for a product, by the guess from the best to the worst: every shape that the
 * device allows at its best number of splits, with loads that go out ahead; at the end the first of
 * these without. `ctx.variant` takes each of the names.
 * For `m` 256, `n` 16384, `k` 1152: `tiled 128x128 prefetch`, `tiled 64x128 prefetch`, and so on.
 */
export function tiledCandidates(ctx: KernelContext, size: ProductSize): string[] {
  const forms = byGuess(ctx, size);
  return [...forms, { ...forms[0], prefetch: false }].map(tiledName);
}

/** What `ctx.variant` asks for: all of `tiled 64x64 prefetch split 2`, or a part, and the guess for the rest. */
export function chooseTiledForm(ctx: KernelContext, size: ProductSize): TiledForm {
  const name = ctx.variant ?? "tiled";
  const words = name.match(/^tiled(?: (\d+x\d+)( prefetch)?(?: split (\d+))?)?$/);
  const [, shape, prefetch, splits] = words ?? [];
  if (words && shape === undefined) return byGuess(ctx, size)[0];
  const tile = tileShapes.find((tile) => shapeName(tile) === shape);
  if (!tile || !fits(ctx, tile)) {
    const names = tileShapes.filter((tile) => fits(ctx, tile)).map(shapeName);
    throw new Error(
      `No kernel variant "${name}" on this device: it is "tiled", or "tiled" with one of ${
        names.join(", ")
      }` +
        `, then "prefetch" or not, then "split" and a number or not`,
    );
  }
  const form = splits ? cut(tile, size, Number(splits)) : bestCut(ctx, tile, size);
  return { ...form, prefetch: prefetch !== undefined };
}

/** The name of a form, as `ctx.variant` takes it. */
export function tiledName({ tile, prefetch, splits }: TiledForm): string {
  return `tiled ${shapeName(tile)}${prefetch ? " prefetch" : ""}` +
    (splits > 1 ? ` split ${splits}` : "");
}

/** `128x128`. */
export const shapeName = ({ m, n }: TileShape): string => `${m}x${n}`;

/** What the guess takes a form to need on the device it is made for. */
export function guessCycles(form: TiledForm, size: ProductSize): number {
  const { m, n, k, slices, quads, implicit = false } = size;
  const { tile, splits, length } = form;
  const sums = tile.thread.m * tile.thread.n, results = m * n * slices;
  const workgroups = Math.ceil(m / tile.m) * Math.ceil(n / tile.n) * slices * splits;
  const inTurn = Math.ceil(workgroups / cores);
  const together = Math.floor(registers / (tile.threads * (sums + otherRegisters)));
  // With few threads, nothing hides how long an instruction takes.
  const warps = Math.min(inTurn, together) * tile.threads / 32;
  const busy = warps / (warps + hidingWarps);
  const reading = (quad = false): number =>
    quad ? quadInstructions : implicit ? lookupInstructions : numbersInstructions;
  const reads = slabInstructions * tile.threads * (tile.thread.m + tile.thread.n) / 4;
  const loads = (tile.m * reading(quads?.a) + tile.n * reading(quads?.b)) / 4;
  const instructions = (tile.m * tile.n + reads + loads) * length +
    storeInstructions * tile.m * tile.n / 4;
  const computing = inTurn * instructions / lanes / busy;
  // What is looked up is read so often that most of it comes from caches.
  const operands = implicit ? 0 : (m + n) * k * slices;
  const moving = 4 * (operands + results * splits) / bytesPerCycle;
  const adding = splits > 1 ? startCycles + 4 * results * (splits + 1) / bytesPerCycle : 0;
  // The one hides behind the other, though never all of it.
  const hidden = Math.min(computing, moving) / 16;
  return startCycles + Math.max(computing, moving) + hidden + adding;
}

function byGuess(ctx: KernelContext, size: ProductSize): TiledForm[] {
  const forms = tileShapes.filter((tile) => fits(ctx, tile))
    .map((tile) => bestCut(ctx, tile, size))
    .map((form) => ({ form, cycles: guessCycles(form, size) }))
    .sort((a, b) => a.cycles - b.cycles);
  return forms.filter(({ cycles }) => cycles <= HOPELESS * forms[0].cycles).map(({ form }) => form);
}

function fits({ limits }: KernelContext, { m, n, k, threads }: TileShape): boolean {
  return threads <= limits.maxComputeInvocationsPerWorkgroup &&
    16 * k * (m / 4 + 1 + n / 4 + 1) <= limits.maxComputeWorkgroupStorageSize;
}

/** The number of splits that the guess takes for the fastest. */
function bestCut(ctx: KernelContext, tile: TileShape, size: ProductSize): TiledForm {
  const partBytes = 4 * size.m * size.n * size.slices;
  const most = Math.min(mostSplits, mostBytes / partBytes, size.k / (4 * tile.k));
  // A CPU adapter's loop over a slab is not unrolled.
  const fewest = ctx.cpu ? Math.ceil(size.k * (1 + 1 / tile.k) / MOST_ROUNDS) : 1;
  let best = cut(tile, size, fewest), least = guessCycles(best, size);
  for (let splits = fewest + 1; splits <= most; splits++) {
    const form = cut(tile, size, splits), cycles = guessCycles(form, size);
    if (cycles < least) {
      best = form;
      least = cycles;
    }
  }
  return best;
}

function cut(tile: TileShape, { k }: ProductSize, splits: number): TiledForm {
  const length = Math.ceil(k / splits / tile.k) * tile.k;
  return { tile, prefetch: true, splits: Math.ceil(k / length), length };
}

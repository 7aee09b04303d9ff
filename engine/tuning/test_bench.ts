// A site's kernel in one of its variants, on memory of its own.

import type { KernelSite } from "../compile/lower.ts";
import { Plan, targetOf } from "../compile/plan.ts";
import { isolate, type IsolatedKernel, withVariant } from "../compile/sites.ts";
import { byteLength, isFloat, typedArray } from "../dtype.ts";
import type { Device } from "../runtime/device.ts";
import { readBuffers } from "../runtime/readback.ts";
import type { Tensor } from "../tensor.ts";
import { CannotRunError, type Contestant, type Entry } from "./contest.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { Warmth } from "./warmth.ts";

/** The part of its work that a variant is judged by at first: the worst take a hundred times the best's time. */
const GLANCE = { share: 1 / 16 };

interface BenchOptions {
  readonly device: Device;
  readonly stopwatch: Stopwatch;
  readonly warmth: Warmth;
}

/** One kernel's inputs on a device, shared by all its variants. */
export class TestBench {
  readonly #device: Device;
  readonly #stopwatch: Stopwatch;
  readonly #warmth: Warmth;
  readonly #site: KernelSite;
  readonly #kernel: IsolatedKernel;
  readonly #operands = new Map<Tensor, GPUBuffer>();
  /** Seconds that making the last plan took, while a GPU would have rested. */
  #making = 0.1;

  /** @throws {CannotRunError} where there is no memory for the inputs. */
  static async open(
    site: KernelSite,
    options: BenchOptions,
  ): Promise<TestBench> {
    const bench = new TestBench(site, options);
    try {
      await orCannotRun(options.device.attempt(() => bench.#fill()));
    } catch (error) {
      bench.close();
      throw error;
    }
    return bench;
  }

  private constructor(site: KernelSite, options: BenchOptions) {
    this.#device = options.device;
    this.#stopwatch = options.stopwatch;
    this.#warmth = options.warmth;
    this.#site = site;
    this.#kernel = isolate(site);
  }

  /** The variants, in the order of the candidates. */
  entries(): Entry[] {
    return this.#site.candidates.map((name) => ({ name, enter: () => this.#enter(name) }));
  }

  /** Frees the inputs. */
  close(): void {
    this.#operands.forEach((buffer) => this.#device.destroyBuffer(buffer));
    this.#operands.clear();
  }

  #fill(): void {
    for (const operand of this.#kernel.operands) {
      const buffer = this.#device.createBuffer(byteLength(operand.size, operand.dtype), {
        purpose: `measuring ${this.#kernel.program.name}`,
      });
      this.#operands.set(operand, buffer);
      this.#device.upload(buffer, noise(operand));
    }
  }

  async #enter(name: string): Promise<Contestant> {
    const device = this.#device, stopwatch = this.#stopwatch;
    const choose = withVariant(targetOf(device), this.#site, name).choose;
    let plan: Plan | undefined, compiled: Promise<unknown> | undefined;
    try {
      await device.attempt(() => {
        this.#warmth.fill(this.#making);
        const begin = performance.now();
        plan = new Plan(device, this.#kernel.program, {
          bound: this.#operands,
          choose,
          audit: false,
        });
        this.#making = (performance.now() - begin) / 1e3;
        compiled = plan.measure(GLANCE); // Some drivers compile at the first run.
        compiled.catch(() => {});
      });
      await compiled;
    } catch (error) {
      plan?.destroy();
      device.check();
      throw new CannotRunError((error as Error).message);
    }
    const running = plan!;
    let repeats = 1;
    return {
      glance: () => stopwatch.atLeast(running, GLANCE),
      run: () => stopwatch.atLeast(running),
      time: async () => {
        const timed = await stopwatch.time(running, { repeats });
        repeats = timed.repeats;
        return timed.seconds;
      },
      results: async () => {
        const [bytes] = await readBuffers(device, running.outputs);
        const { size, dtype } = this.#kernel.program.outputs[0];
        return typedArray(bytes, size, dtype);
      },
      leave: () => running.destroy(),
    };
  }
}

/** Numbers in [-1, 1) that are the same on every run, neither zeros nor denormals; small whole ones. */
function noise({ size, dtype }: Tensor): ReturnType<typeof typedArray> {
  const numbers = typedArray(new ArrayBuffer(byteLength(size, dtype)), size, dtype);
  let state = 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    numbers[i] = isFloat(dtype) ? (state >> 7 | 1) / 2 ** 24 : state >>> 31;
  }
  return numbers;
}

async function orCannotRun<R>(attempt: Promise<R>): Promise<R> {
  try {
    return await attempt;
  } catch (error) {
    throw new CannotRunError((error as Error).message);
  }
}

// Whole steps: how long they take, what the first one costs, and what they need.

import { tuneKernels } from "../cli/tuning.ts";
import { compile, type Compiled, Device, read, type Tensor } from "../engine/mod.ts";
import { livenessBound } from "../engine/compile/memory.ts";
import type { Plan } from "../engine/compile/plan.ts";
import { planOf } from "../engine/compile/compile.ts";
import { warmUp } from "./clock.ts";
import { type ReplayTime, summarize, timeReplay } from "./replay.ts";
import { type Spread, spread, thousandths } from "./statistics.ts";
import { type Workload, type WorkloadName, workloads } from "./workloads.ts";

/** Different inputs, made beforehand and cycled through. */
const RING = 4;
/** Replays whose JavaScript is timed: so many within a budget, but a few in any case. */
const REPLAYS = 30;
const LEAST_REPLAYS = 3;
const REPLAY_BUDGET_MS = 5000;
/** Runs of steps that are timed as one where nothing is waited for in between. */
const RUNS = 5;

/** How steps are timed: waiting for each one's results, or for the last of a row, as training does. */
export type Waiting = "each" | "end";

/** What {@linkcode StepBench} is told. */
export interface StepOptions {
  readonly batch: number;
  readonly steps: number;
  readonly warmup: number;
  readonly waiting: Waiting;
  /** Where measurements of kernels are kept, to choose them by; else they go by the static guess. */
  readonly tuneCache?: string;
}

/** What measuring a workload gives, in the form that engines are compared by. */
export interface StepReport {
  readonly engine: "kao";
  readonly version: string;
  readonly device: string;
  readonly workload: WorkloadName;
  readonly batch: number;
  readonly waiting: Waiting;
  readonly step_ms: Spread;
  readonly images_per_s: number;
  readonly first_step: {
    /** Building the graph and lowering it to kernels. */
    readonly trace_ms: number;
    /** Making pipelines. */
    readonly pipelines_ms: number;
    /** Until the first results: drivers compile, too. */
    readonly run_ms: number;
  };
  /** JavaScript of one replay while the queue is empty, and what that consists of. */
  readonly replay_js_ms: number;
  readonly replay_parts_ms: ReplayTime;
  /** Of a step before which no variable changed but those that it assigns. */
  readonly dispatches: number;
  readonly pipelines: number;
  readonly arena_bytes: number;
  /** The least that any placement of the arena could do with. */
  readonly liveness_bytes: number;
  /** All that the workload has on the device, but for the inputs that were made beforehand. */
  readonly device_bytes: number;
}

/** What a workload has on the device, and what its first step took. */
interface Begun {
  readonly first: StepReport["first_step"];
  readonly bytes: number;
  readonly pipelines: number;
}

/** A workload on the default device, ready to be stepped. */
export class StepBench {
  readonly name: WorkloadName;
  readonly options: StepOptions;
  readonly #workload: Workload;
  readonly #step: Compiled<Readonly<Record<string, Tensor>>>;
  readonly #ring: Tensor[][];
  #begun: Begun | undefined;
  #next = 0;

  constructor(name: WorkloadName, options: StepOptions) {
    this.name = name;
    this.options = options;
    this.#workload = workloads[name].make(options.batch);
    this.#step = compile(this.#workload.step, { name });
    // On the device, as a loader that works ahead would have them: making and feeding them is not timed.
    this.#ring = Array.from({ length: RING }, (_, i) => {
      const inputs = this.#workload.inputs(i);
      return compile(() => inputs, { name: `inputs ${i}` })();
    });
  }

  /** The plan of the step, once there is one. */
  get plan(): Plan {
    return planOf(this.#step, this.#ring[0]);
  }

  /** Milliseconds of a step until its results are there. */
  async step(): Promise<number> {
    const start = performance.now();
    await this.#read(this.#call());
    return performance.now() - start;
  }

  /** The first step, which is apart, and those that do not count; before them, kernels are chosen. */
  async warmUp(): Promise<void> {
    const { tuneCache } = this.options;
    if (tuneCache !== undefined) {
      const sites = this.#step.sites(...this.#ring[0]);
      await tuneKernels(Device.default, sites, { tuneCache, more: "" });
    }
    this.#begun = await this.#begin();
    // While the driver compiled, the device had nothing to do: a few short steps would not bring its clock up.
    await warmUp(Device.default);
    for (let i = 1; i < this.options.warmup; i++) await this.step();
  }

  /** Warms up, takes the steps that count, and says what they needed. */
  async measure(): Promise<StepReport> {
    await this.warmUp();
    return this.report(await this.times());
  }

  /** What is known after {@linkcode warmUp}, with the times of steps that count. */
  async report(times: readonly number[]): Promise<StepReport> {
    const { batch, waiting } = this.options, { plan } = this;
    const { first, bytes, pipelines } = this.#begun!;
    const { min, median, max } = spread(times);
    const replay = summarize(await this.#replays());
    return {
      engine: "kao",
      version: await version(),
      device: Device.default.adapter.name,
      workload: this.name,
      batch,
      waiting,
      step_ms: { min: thousandths(min), median: thousandths(median), max: thousandths(max) },
      images_per_s: thousandths(1000 * batch / median),
      first_step: first,
      replay_js_ms: replay.total,
      replay_parts_ms: replay.parts,
      dispatches: plan.dispatches.filter(({ constant }) => !constant).length,
      pipelines,
      arena_bytes: plan.arenaBytes,
      liveness_bytes: livenessBound(plan.dispatches),
      device_bytes: bytes,
    };
  }

  /** Milliseconds a step of the steps that count, or of each row of them. */
  async times(): Promise<number[]> {
    const { steps, waiting } = this.options;
    const times: number[] = [];
    if (waiting === "each") {
      for (let i = 0; i < steps; i++) times.push(await this.step());
      return times;
    }
    const row = Math.ceil(steps / RUNS);
    for (let done = 0; done < steps; done += row) {
      const start = performance.now();
      for (let i = 1; i < row; i++) this.#call();
      await this.#read(this.#call());
      times.push((performance.now() - start) / row);
    }
    return times;
  }

  async #begin(): Promise<Begun> {
    const device = Device.default;
    await device.idle(); // Inputs are still being filled.
    const { compiled, memory } = device;
    const start = performance.now();
    const results = this.#call();
    const traced = performance.now();
    const making = device.compiled.ms - compiled.ms;
    await this.#read(results);
    return {
      first: {
        trace_ms: thousandths(traced - start - making),
        pipelines_ms: thousandths(making),
        run_ms: thousandths(performance.now() - traced),
      },
      bytes: device.memory.bytes - memory.bytes,
      pipelines: device.compiled.pipelines - compiled.pipelines,
    };
  }

  /** The JavaScript of some replays, each begun when the device had nothing to do. */
  async #replays(): Promise<ReplayTime[]> {
    await Device.default.idle();
    const times: ReplayTime[] = [];
    const end = performance.now() + REPLAY_BUDGET_MS;
    while (times.length < LEAST_REPLAYS || (times.length < REPLAYS && performance.now() < end)) {
      const { result, time } = timeReplay(() => this.#call());
      times.push(time);
      await this.#read(result);
    }
    return times;
  }

  #call(): Readonly<Record<string, Tensor>> {
    return this.#step(...this.#ring[this.#next++ % RING]);
  }

  async #read(results: Readonly<Record<string, Tensor>>): Promise<void> {
    await read(this.#workload.awaited.map((name) => results[name]));
  }
}

/** The version that deno.json says. */
export async function version(): Promise<string> {
  return JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url))).version;
}

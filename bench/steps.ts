// Whole steps: how long they take, what the first one costs, and what they need.

import { compile, Device, read, type Tensor } from "../engine/mod.ts";
import { livenessBound } from "../engine/compile/memory.ts";
import type { Plan } from "../engine/compile/plan.ts";
import { planOf } from "../engine/compile/compile.ts";
import { median, type Spread, spread, thousandths } from "./statistics.ts";
import { type Workload, type WorkloadName, workloads } from "./workloads.ts";

/** Different inputs, made beforehand and cycled through. */
const RING = 4;
/** Replays whose JavaScript is timed, within a budget. */
const REPLAYS = 30;
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
  /** JavaScript of one replay while the queue is empty. */
  readonly replay_js_ms: number;
  readonly dispatches: number;
  readonly pipelines: number;
  readonly arena_bytes: number;
  /** The least that any placement of the arena could do with. */
  readonly liveness_bytes: number;
  /** All that the workload has on the device, but for the inputs that were made beforehand. */
  readonly device_bytes: number;
}

/** A workload on the default device, ready to be stepped. */
export class StepBench {
  readonly name: WorkloadName;
  readonly #workload: Workload;
  readonly #step: Workload["step"];
  readonly #options: StepOptions;
  readonly #ring: Tensor[][];
  /** Bytes of the ring. */
  readonly #ringBytes: number;
  #next = 0;
  readonly #replays: number[] = [];

  constructor(name: WorkloadName, options: StepOptions) {
    const device = Device.default;
    this.name = name;
    this.#options = options;
    this.#workload = workloads[name].make(options.batch);
    this.#step = compile(this.#workload.step, { name });
    const before = device.memory.bytes;
    // On the device, as a loader that works ahead would have them: making and feeding them is not timed.
    this.#ring = Array.from({ length: RING }, (_, i) => {
      const inputs = this.#workload.inputs(i);
      return compile(() => inputs, { name: `inputs ${i}` })();
    });
    this.#ringBytes = device.memory.bytes - before;
  }

  /** The plan of the step, once there is one. */
  get plan(): Plan {
    return planOf(this.#step, this.#ring[0]);
  }

  /** Milliseconds of a step until its results are there. */
  async step(): Promise<number> {
    const start = performance.now();
    const results = this.#call();
    this.#replays.push(performance.now() - start);
    await this.#read(results);
    return performance.now() - start;
  }

  /** The first step, the warm-up, the steps that count, and what they needed. */
  async measure(): Promise<StepReport> {
    const { batch, warmup, waiting } = this.#options;
    const first = await this.#firstStep();
    for (let i = 1; i < warmup; i++) await this.step();
    const step = spread(await this.times());
    const { adapter, memory, compiled } = Device.default;
    return {
      engine: "kao",
      version: await version(),
      device: adapter.name,
      workload: this.name,
      batch,
      waiting,
      step_ms: {
        min: thousandths(step.min),
        median: thousandths(step.median),
        max: thousandths(step.max),
      },
      images_per_s: thousandths(1000 * batch / step.median),
      first_step: first,
      replay_js_ms: thousandths(await this.#replay()),
      dispatches: this.plan.dispatches.length,
      pipelines: compiled.pipelines,
      arena_bytes: this.plan.arenaBytes,
      liveness_bytes: livenessBound(this.plan.dispatches),
      device_bytes: memory.bytes - this.#ringBytes,
    };
  }

  /** Milliseconds a step of the steps that count, or of each row of them. */
  async times(): Promise<number[]> {
    const { steps, waiting } = this.#options;
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

  async #firstStep(): Promise<StepReport["first_step"]> {
    const { compiled: before } = Device.default;
    const start = performance.now();
    const results = this.#call();
    const traced = performance.now();
    const pipelines = Device.default.compiled.ms - before.ms;
    await this.#read(results);
    return {
      trace_ms: thousandths(traced - start - pipelines),
      pipelines_ms: thousandths(pipelines),
      run_ms: thousandths(performance.now() - traced),
    };
  }

  /** The middle of the JavaScript of replays, each begun when the device had nothing to do. */
  async #replay(): Promise<number> {
    this.#replays.length = 0;
    const end = performance.now() + REPLAY_BUDGET_MS;
    do await this.step(); while (this.#replays.length < REPLAYS && performance.now() < end);
    return median(this.#replays);
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

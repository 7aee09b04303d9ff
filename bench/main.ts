// `deno task bench`: how fast kao is on this adapter, and how fast it could be. --help says what there is.

import { UserError } from "../data/mod.ts";
import { Device } from "../engine/mod.ts";
import { measureCeilings } from "./ceilings.ts";
import { CHECKED_BATCH, distances, firstSteps } from "./check.ts";
import { formatInterface, measureInterface } from "./interface.ts";
import { formatKernels, measureKernels } from "./kernels.ts";
import { formatLayers, measureLayers } from "./layers.ts";
import { type Options, parseOptions, usage, workloadNamed } from "./options.ts";
import { compare, formatComparison, peerRatios } from "./peers.ts";
import { formatPlans, reportPlan } from "./plans.ts";
import { formatCeilings, formatRoofline, measureRoofline } from "./roofline.ts";
import { formatScaling, measureScaling } from "./scaling.ts";
import { digits } from "./statistics.ts";
import { StepBench, type StepOptions, type StepReport, version } from "./steps.ts";
import { mebibytes, table } from "./table.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** What can be measured beside whole steps, by the first word. */
const subjects: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  roofline,
  layers,
  kernels,
  scaling,
  plan,
  interface: pluginInterface,
};

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  const [first, ...rest] = options.words;
  if (options.help) console.log(usage());
  else if (options.check) await check(options);
  else if (first !== undefined && Object.hasOwn(subjects, first)) {
    if (rest.length > 1) throw new UserError(`${first} takes one word, not ${rest.join(" ")}`);
    await subjects[first]({ ...options, words: rest });
  } else await steps(options);
}

/** Opens a device for some work, and gives it back with all that lies on it. */
async function onDevice<R>(work: (device: Device) => Promise<R>): Promise<R> {
  const device = await Device.open();
  try {
    return await work(device);
  } finally {
    device.destroy();
  }
}

/** The batch of a workload: as asked for, or what is usual on such an adapter. */
const batchOf = (name: WorkloadName, { batch }: Options): number =>
  batch ?? workloads[name].batch[kind()];

const kind = (): "cpu" | "gpu" => Device.default.adapter.cpu ? "cpu" : "gpu";

/** How steps are timed: as asked for, or as is usual on such an adapter. */
function timing(options: Options): Omit<StepOptions, "batch"> {
  const cpu = kind() === "cpu";
  return {
    steps: options.steps ?? (cpu ? 3 : 50),
    warmup: options.warmup ?? (cpu ? 1 : 10),
    waiting: options.waiting ?? (cpu ? "each" : "end"),
    tuneCache: options.tuneCache,
  };
}

/** Says what has been done so far, beside the results. */
const progress = (line: string): void => console.error(line);

/** Prints for machines or for people. */
function print(options: Options, result: unknown, format: () => string): void {
  console.log(options.json ? JSON.stringify(result) : format());
}

/** Whole steps of workloads, and of their peers in turns. */
async function steps(options: Options): Promise<void> {
  const names = options.words.length > 0 ? options.words : Object.keys(workloads);
  const reports: StepReport[] = [];
  for (const name of names.map(workloadNamed)) {
    await onDevice(async () => {
      const bench = new StepBench(name, { batch: batchOf(name, options), ...timing(options) });
      const report = await bench.measure();
      reports.push(report);
      if (options.json) console.log(JSON.stringify(report));
      else console.log(formatSteps([report]) + "\n");
      if (options.peers.length === 0) return;
      const comparison = await compare(bench, options.peers, { ...options, progress });
      const result = { workload: name, batch: report.batch, ...comparison };
      print(
        options,
        { ...result, ratios: peerRatios(comparison) },
        () => `${formatComparison(comparison)}\n`,
      );
    });
  }
  if (!options.json && reports.length > 1) console.log(`${formatSteps(reports)}\n`);
  if (options.words.length === 0) await roof(options);
}

/** What the adapter can do at best. */
async function roof(options: Options): Promise<void> {
  await onDevice(async (device) => {
    const ceilings = await measureCeilings(device);
    print(options, { device: device.adapter.name, ceilings }, () => formatCeilings(ceilings));
  });
}

/** Reports side by side. */
function formatSteps(reports: readonly StepReport[]): string {
  const row = (name: string, cell: (report: StepReport) => string) => [name, ...reports.map(cell)];
  const spread = ({ step_ms: { min, median, max } }: StepReport) =>
    [min, median, max].map(digits).join(" / ");
  return table(["", ...reports.map(({ workload }) => workload)], [
    row("batch", ({ batch }) => String(batch)),
    row("ms a step: min / median / max", spread),
    row("images/s", (report) => digits(report.images_per_s)),
    row("first step: trace, ms", (report) => digits(report.first_step.trace_ms)),
    row("  pipelines, ms", (report) => digits(report.first_step.pipelines_ms)),
    row("  first run, ms", (report) => digits(report.first_step.run_ms)),
    row("JavaScript of a replay, ms", (report) => digits(report.replay_js_ms)),
    row("  recording", ({ replay_parts_ms }) => digits(replay_parts_ms.record)),
    row("  finishing", ({ replay_parts_ms }) => digits(replay_parts_ms.finish)),
    row("  submitting", ({ replay_parts_ms }) => digits(replay_parts_ms.submit)),
    row("dispatches", ({ dispatches }) => String(dispatches)),
    row("different shaders", ({ pipelines }) => String(pipelines)),
    row("arena", (report) => mebibytes(report.arena_bytes)),
    row(
      "  of what is alive at once",
      (report) => digits(report.arena_bytes / report.liveness_bytes),
    ),
    row("device memory", (report) => mebibytes(report.device_bytes)),
  ]);
}

/** The kernels of steps on adapters, which need not be there. */
function plan(options: Options): Promise<void> {
  const names = options.words.length > 0 ? options.words : Object.keys(workloads);
  const reports = names.map(workloadNamed)
    .map((name) => reportPlan(name, options.batch));
  print(options, reports, () => formatPlans(reports));
  return Promise.resolve();
}

/** The results of three steps, and how far they are from PyTorch's in float64. */
async function check(options: Options): Promise<void> {
  const names = options.words.length > 0 ? options.words : Object.keys(workloads);
  for (const name of names.map(workloadNamed)) {
    await onDevice(async ({ adapter }) => {
      const batch = options.batch ?? CHECKED_BATCH;
      const results = await firstSteps(name, batch);
      const rounded = results.map((figures) =>
        Object.fromEntries(Object.entries(figures).map(([key, x]) => [key, Number(x.toFixed(6))]))
      );
      const distance = batch === CHECKED_BATCH ? { distance: distances(name, results) } : {};
      console.log(JSON.stringify({
        engine: "kao",
        version: await version(),
        device: adapter.name,
        workload: name,
        batch,
        steps: rounded,
        ...distance,
      }));
    });
  }
}

async function roofline(options: Options): Promise<void> {
  const name = workloadNamed(options.words[0] ?? "acgan64");
  await onDevice(async () => {
    const batch = batchOf(name, options);
    const result = await measureRoofline(name, { batch, ...timing(options) });
    print(options, result, () => formatRoofline(result, options));
  });
}

async function layers(options: Options): Promise<void> {
  const name = workloadNamed(options.words[0] ?? "acgan64");
  await onDevice(async () => {
    const { variant, precision } = options, batch = batchOf(name, options);
    const result = await measureLayers(name, { batch, variant, precision, progress });
    print(options, result, () => formatLayers(result));
  });
}

async function kernels(options: Options): Promise<void> {
  const names = options.workload === undefined ? Object.keys(workloads) : [options.workload];
  await onDevice(async (device) => {
    const asked = names.map(workloadNamed)
      .map((workload) => ({ workload, batch: batchOf(workload, options) }));
    const ceilings = await measureCeilings(device);
    const filter = options.words[0] ?? "";
    const times = await measureKernels(asked, { ...options, filter, progress });
    print(
      options,
      { device: device.adapter.name, ceilings, kernels: times },
      () => `${formatCeilings(ceilings)}\n${formatKernels(times, ceilings, options)}`,
    );
  });
}

async function scaling(options: Options): Promise<void> {
  const name = workloadNamed(options.words[0] ?? "acgan64");
  await onDevice(async () => {
    const usual = timing(options);
    const steps = options.steps ?? (usual.waiting === "each" ? 1 : usual.steps);
    const scales = await measureScaling(name, { ...options, ...usual, steps });
    print(options, scales, () => `${name}\n${formatScaling(scales)}`);
  });
}

/** What plugins cost as such. */
async function pluginInterface(options: Options): Promise<void> {
  if (options.words.length > 0) throw new UserError("interface takes no further word");
  await onDevice(async () => {
    const { batch = 8, steps = 50 } = options;
    const result = await measureInterface({ batch, steps });
    print(options, result, () => formatInterface(result));
  });
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(`bench: ${error.message}`);
    Deno.exit(1);
  }
}

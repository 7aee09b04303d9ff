// The command line of `deno task bench`.

import { parseArgs } from "@std/cli/parse-args";
import { UserError } from "../data/mod.ts";
import type { Precision } from "../engine/mod.ts";
import { parsePeer, type Peer } from "./peers.ts";
import type { Waiting } from "./steps.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** What was asked for; what is undefined is left to the subject and the adapter. */
export interface Options {
  readonly words: readonly string[];
  readonly help: boolean;
  readonly json: boolean;
  readonly check: boolean;
  readonly each: boolean;
  readonly batch: number | undefined;
  readonly batches: readonly number[];
  readonly steps: number | undefined;
  readonly warmup: number | undefined;
  readonly waiting: Waiting | undefined;
  readonly rows: number;
  readonly rounds: number;
  readonly variant: string | undefined;
  readonly precision: Precision | undefined;
  readonly workload: string | undefined;
  readonly tuneCache: string | undefined;
  readonly peers: readonly Peer[];
}

/** What `--help` shows. */
export function usage(): string {
  const names = Object.entries(workloads).map(([name, { summary }]) =>
    `  ${name.padEnd(17)}${summary}`
  );
  return `Measures kao on this adapter.

  deno task bench [WORKLOAD...]          whole steps; all workloads where none is named
  deno task bench roofline [WORKLOAD]    where a step's time goes, against the adapter's own roof
  deno task bench layers [WORKLOAD]      each convolution's three products against the best matrix product
  deno task bench kernels [FILTER]       every op that has kernels of its own, by itself
  deno task bench scaling [WORKLOAD]     cost a picture and memory at several batches
  deno task bench plan [WORKLOAD]        dispatches of a step on a GPU or a CPU adapter, and the memory they pass over; runs nothing
  deno task bench interface              ACGAN through the interface of plugins against ACGAN by hand, in turns

Workloads:
${names.join("\n")}

  --batch N         pictures a step
  --steps N         steps that count, 3 on a CPU and 50 on a GPU; 50 pairs of interface
  --warmup N        steps before them, 1 and 10; the first is also shown apart
  --wait each|end   wait for every step's results (on a CPU), or for the last of a row (on a GPU)
  --check           print the results of three steps instead, to compare with other engines' by
  --peer NAME=COMMAND   another engine, run in turns with kao; it prints a line of JSON with step_ms.median
  --rounds N        turns, 3
  --batches A,B     of scaling, 4,16,64
  --variant NAME    of kernels and layers: force a form, such as direct
  --tune-cache FILE of steps, roofline and scaling: choose kernels by measuring them first, as training
                    does, and keep what was measured in FILE; without it they go by the static guess
  --precision TYPE  of kernels and layers: f16 lets tiled products round their operands
  --workload NAME   of kernels: only those of one workload
  --each            of kernels: a line for each dispatch, too
  --rows N          of roofline: the longest kernels, 25
  --json            a line of JSON for each result in place of tables`;
}

const FLAGS = ["help", "json", "check", "each"] as const;
const VALUES = [
  ...["batch", "batches", "steps", "warmup", "wait", "rows", "rounds", "variant", "workload"],
  ...["precision", "tune-cache", "peer"],
] as const;

/** Reads the arguments. @throws {UserError} at what is unknown or does not fit. */
export function parseOptions(args: readonly string[]): Options {
  const flags = parseArgs([...args], {
    boolean: [...FLAGS],
    string: ["_", ...VALUES],
    collect: ["peer"],
    unknown(arg, key) {
      if (key === undefined) return true; // A word.
      throw new UserError(`Unknown option ${arg}; --help lists them all`);
    },
  });
  const count = (name: string): number | undefined => {
    const text = flags[name];
    return text === undefined ? undefined : positive(name, String(text));
  };
  const text = (name: string): string | undefined => flags[name] as string | undefined;
  const waiting = text("wait");
  if (waiting !== undefined && waiting !== "each" && waiting !== "end") {
    throw new UserError(`--wait is each or end, not ${waiting}`);
  }
  const tuneCache = text("tune-cache");
  if (tuneCache === "") throw new UserError("--tune-cache takes the name of a file");
  const precision = text("precision");
  if (precision !== undefined && precision !== "f32" && precision !== "f16") {
    throw new UserError(`--precision is f32 or f16, not ${precision}`);
  }
  return {
    words: flags._.map(String),
    help: Boolean(flags.help),
    json: Boolean(flags.json),
    check: Boolean(flags.check),
    each: Boolean(flags.each),
    batch: count("batch"),
    batches: (text("batches") ?? "4,16,64").split(",").map((part) => positive("batches", part)),
    steps: count("steps"),
    warmup: count("warmup"),
    waiting,
    rows: count("rows") ?? 25,
    rounds: count("rounds") ?? 3,
    variant: text("variant"),
    precision,
    workload: text("workload"),
    tuneCache,
    peers: ((flags.peer ?? []) as string[]).map(parsePeer),
  };
}

/** A workload by its name. @throws {UserError} where there is none. */
export function workloadNamed(name: string): WorkloadName {
  if (Object.hasOwn(workloads, name)) return name as WorkloadName;
  throw new UserError(`Unknown workload ${name}: there are ${Object.keys(workloads).join(", ")}`);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UserError(`--${name} takes a whole number from 1, not "${text}"`);
}

// Other engines on the same workload, in turns with this one.

import { UserError } from "../data/mod.ts";
import { digits, median, ratios } from "./statistics.ts";
import type { StepBench } from "./steps.ts";
import { table } from "./table.ts";

/** A program that does a workload in another engine. */
export interface Peer {
  readonly name: string;
  /**
   * For the shell. It prints a line of JSON with `step_ms.median`, or with `unsupported`: why it could not.
   */
  readonly command: string;
}

/** What a peer said of one run; `report` is all of it. */
export type PeerOutcome =
  | { readonly ms: number; readonly report: Readonly<Record<string, unknown>> }
  | { readonly unsupported: string };

/** This engine and others, round by round, in milliseconds a step. */
export interface Comparison {
  readonly kao: readonly number[];
  readonly peers: Readonly<Record<string, readonly PeerOutcome[]>>;
}

/** Reads `NAME=COMMAND`. @throws {UserError} where it is not that. */
export function parsePeer(text: string): Peer {
  const [, name, command] = text.match(/^([^=\s]+)=(.*\S.*)$/s) ?? [];
  if (name === undefined) throw new UserError(`--peer takes NAME=COMMAND, not ${text}`);
  return { name, command };
}

/** The last line of a program's output that is a report, among whatever else it prints. */
export function parseReport(output: string): PeerOutcome {
  for (const line of output.split("\n").reverse()) {
    const report = jsonObject(line);
    const ms = (report?.step_ms as { median?: unknown } | undefined)?.median;
    if (report === undefined) continue;
    if (typeof ms === "number" && ms > 0) return { ms, report };
    if (report.unsupported !== undefined) return { unsupported: String(report.unsupported) };
  }
  return { unsupported: "it printed no line of JSON with step_ms.median" };
}

function jsonObject(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Alternates between a workload that is warm and the peers. */
export async function compare(
  bench: StepBench,
  peers: readonly Peer[],
  options: { rounds: number; progress: (line: string) => void },
): Promise<Comparison> {
  const kao: number[] = [];
  const outcomes: Record<string, PeerOutcome[]> = Object.fromEntries(
    peers.map(({ name }) => [name, []]),
  );
  for (let round = 1; round <= options.rounds; round++) {
    await bench.step(); // The device may have gone to sleep, or its memory elsewhere.
    kao.push(median(await bench.times()));
    options.progress(`round ${round}: kao ${digits(kao[round - 1])} ms`);
    for (const { name, command } of peers) {
      const outcome = await run(command);
      outcomes[name].push(outcome);
      const said = "ms" in outcome ? `${digits(outcome.ms)} ms` : outcome.unsupported;
      options.progress(`round ${round}: ${name} ${said}`);
    }
  }
  return { kao, peers: outcomes };
}

async function run(command: string): Promise<PeerOutcome> {
  const shell = new Deno.Command("sh", { args: ["-c", command], stdin: "null", stderr: "piped" });
  const { code, stdout, stderr } = await shell.output();
  if (code === 0) return parseReport(new TextDecoder().decode(stdout));
  const complaint = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  return { unsupported: `exit status ${code}: ${complaint || command}` };
}

/** How many times as long each peer took, with the rounds. */
export function peerRatios(
  { kao, peers }: Comparison,
): Record<string, { readonly rounds: number[]; readonly median: number } | undefined> {
  return Object.fromEntries(
    Object.entries(peers).map(([name, outcomes]) => [
      name,
      ratios(kao, outcomes.map((outcome) => "ms" in outcome ? outcome.ms : undefined)),
    ]),
  );
}

/** A row a round, with the medians of its ratios in a last line. */
export function formatComparison(comparison: Comparison): string {
  const { kao, peers } = comparison;
  const names = Object.keys(peers);
  const found = peerRatios(comparison);
  const rows = kao.map((own, round) => {
    const outcomes = names.map((name) => peers[name][round]);
    return [
      String(round + 1),
      digits(own),
      ...outcomes.map((outcome) => "ms" in outcome ? digits(outcome.ms) : "-"),
      ...outcomes.map((outcome) => "ms" in outcome ? digits(outcome.ms / own) : "-"),
    ];
  });
  const last = names.map((name) => {
    const ratio = found[name]?.median;
    return ratio === undefined ? "-" : digits(ratio);
  });
  const heading = ["round", "kao ms", ...names.map((name) => `${name} ms`)];
  return table([...heading, ...names.map((name) => `${name} / kao`)], [
    ...rows,
    ["median", digits(median(kao)), ...names.map(() => ""), ...last],
  ]);
}

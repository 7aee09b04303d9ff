// Short trainings with plugins on pictures of 8 pixels, and what they leave behind.

import { assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { decodeSafetensors } from "../../engine/mod.ts";
import { definePlugin, type Parts } from "../../plugin/mod.ts";
import { type ChosenPlugin, NEWEST, train, type Weights } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "../training/tiny.ts";
import { chosen } from "./tiny_run.ts";

/** A plugin that only looks, as if it came from a file. */
export function onlooker(parts: Parts): ChosenPlugin {
  const plugin = definePlugin({
    name: "onlooker",
    version: "1.0.0",
    help: "For a test",
    setup: () => parts,
  });
  return { plugin, source: "./onlooker.ts", options: {} };
}

/** What a training left behind. */
export interface Outcome {
  /** Losses and metrics of each step. */
  readonly metrics: readonly Readonly<Record<string, number>>[];
  /** Numbers of the checkpoint's variables by name. */
  readonly variables: Readonly<Record<string, readonly number[]>>;
  readonly bytes: Uint8Array;
}

export interface RunOptions {
  readonly steps?: number;
  readonly weights?: Weights;
  /** Steps after which training is stopped and started again. */
  readonly stopAt?: number;
}

/** Trains with the classifier and some plugins. */
export async function trainTiny(
  plugins: readonly ChosenPlugin[],
  { steps = 20, weights = {}, stopAt }: RunOptions = {},
): Promise<Outcome> {
  using folder = temporaryFolder();
  const run = `${folder.path}/run`;
  const start = async (until?: number): Promise<number> => {
    const controller = new AbortController();
    return await train(tinyDataset(), {
      folder: run,
      settings: { ...tinySettings, weights },
      schedule: { steps, logEvery: 1, gridEvery: 1000, checkpointEvery: 1000 },
      plugins: [chosen("classifier"), ...plugins],
      signal: controller.signal,
      onProgress: ({ step }) => step === until && controller.abort(),
    });
  };
  if (stopAt !== undefined) assertEquals(await start(stopAt), stopAt);
  assertEquals(await start(), steps);
  const bytes = await Deno.readFile(`${run}/${NEWEST}`);
  const lines = (await Deno.readTextFile(`${run}/metrics.jsonl`)).trim().split("\n");
  return {
    metrics: lines.map((line) => JSON.parse(line)),
    variables: Object.fromEntries(
      Object.entries(decodeSafetensors(bytes).tensors).map(([name, { data }]) => [
        name,
        Array.from(data),
      ]),
    ),
    bytes,
  };
}

/** Trains without a stop and with one, and looks whether the same bytes come out. */
export async function assertResumes(plugins: readonly ChosenPlugin[]): Promise<Outcome> {
  const whole = await trainTiny(plugins);
  const { bytes } = await trainTiny(plugins, { stopAt: 11 });
  assertEquals(bytes, whole.bytes);
  return whole;
}

/** The message that training with a plugin's options is refused with. */
export async function refusal(
  name: string,
  options: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { message } = await assertRejects(
    () => trainTiny([chosen(name, options)], { steps: 1 }),
    UserError,
  );
  return message;
}

// What is known of a run before its checkpoint is read.

import { UserError } from "../../data/mod.ts";
import type { Condition, Option, Options } from "../../plugin/mod.ts";
import { readRun, restoreCondition } from "../../training/mod.ts";
import { type DrawingPlugin, drawingPlugins, kindsOf } from "../plugins.ts";

/** A run by its description. */
export interface DescribedRun {
  readonly size: number;
  readonly conditions: readonly Condition[];
  readonly plugins: readonly DrawingPlugin[];
}

/** @throws {UserError} where `folder` is no run. */
export async function describedRun(folder: string): Promise<DescribedRun> {
  const run = await readRun(folder);
  if (!run) {
    throw new UserError(
      `${folder} is not a run: it is the folder that was given to train as --out`,
    );
  }
  const plugins = await drawingPlugins(run);
  const conditions = run.conditions.map((it) => restoreCondition(it, { kinds: kindsOf(plugins) }));
  return { size: run.size, conditions, plugins };
}

/** An option a condition, and those that plugins bring. */
export function optionsOf({ conditions, plugins }: DescribedRun): Options {
  const ofConditions = conditions.map(({ name, help }): [string, Option] => [
    name,
    { type: "string", flag: name, help: `Draw ${name}: ${help}; or a mix such as a:0.7,b:0.3` },
  ]);
  const ofPlugins = plugins.flatMap(({ sampling }) => Object.entries(sampling?.options ?? {}));
  return Object.fromEntries([...ofConditions, ...ofPlugins]);
}

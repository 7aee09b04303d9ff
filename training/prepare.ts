// What a run trains, on what: all that is settled before its folder is touched.

import { type Dataset, splitDataset, UserError } from "../data/mod.ts";
import { Device } from "../engine/mod.ts";
import { discriminatorStages } from "../models/mod.ts";
import { isLatent } from "../plugin/mod.ts";
import { builtIn } from "../plugins/mod.ts";
import { hasHead } from "./acgan.ts";
import { BestCheckpoint } from "./best.ts";
import { checkSettings, type TrainSettings } from "./config.ts";
import type { TrainOptions } from "./loop.ts";
import { termWeights } from "./losses.ts";
import type { ChosenPlugin } from "./plugin_setup.ts";
import { Plugins } from "./plugins.ts";
import { describeRun, type RunDescription } from "./run.ts";
import { metricNames } from "./step.ts";
import type { Weights } from "./terms.ts";
import type { Ancestor } from "./transfer.ts";

const defaultPlugin: ChosenPlugin = {
  plugin: builtIn.classifier,
  source: "classifier",
  options: {},
};

/** A run as it will be. */
export interface Prepared {
  /** What is trained on. */
  readonly pictures: Dataset;
  /** What is held out. */
  readonly unseen: Dataset;
  readonly plugins: Plugins;
  /** Of all loss terms. */
  readonly weights: Weights;
  /** The metrics of a step. */
  readonly names: readonly string[];
  readonly run: RunDescription;
  readonly best: BestCheckpoint | undefined;
}

/** What a run is prepared from. */
export type PrepareOptions =
  & Pick<TrainOptions, "settings" | "plugins" | "reserved" | "evaluate" | "keepBest">
  & { readonly ancestor?: Ancestor };

/** Sets everything up that needs no folder. Throws a `UserError` where data and settings do not fit. */
export async function prepare(dataset: Dataset, options: PrepareOptions): Promise<Prepared> {
  const { settings, keepBest } = options, { batch, seed, holdout } = settings;
  checkSettings(settings);
  checkPrecision(settings);
  const { train: pictures, holdout: unseen } = splitDataset(dataset, { holdout, seed });
  if (pictures.count < batch) {
    throw new UserError(
      `Only ${pictures.count} pictures are left to train on, fewer than a batch of ${batch}: ` +
        `add pictures, or use a smaller --batch`,
    );
  }
  const plugins = await Plugins.setUp(options.plugins ?? [defaultPlugin], {
    ...settings,
    stages: discriminatorStages(settings.discriminator, pictures.size),
    data: pictures,
  });
  const { conditions } = plugins;
  const taken = conditions.find(({ name }) => options.reserved?.includes(name));
  if (taken) throw new UserError(`No condition can be named ${taken.name}: that name is taken`);
  if (conditions.length === 0) {
    throw new UserError(
      "No condition is left to ask for pictures by: name label columns, or a plugin with one",
    );
  }
  const weights = termWeights({ conditions, plugins }, settings);
  const names = metricNames({ conditions, plugins }, weights, settings);
  return {
    ...{ pictures, unseen, plugins, weights, names },
    run: describeRun(settings, {
      ...{ data: dataset.fingerprint, conditions, plugins },
      from: options.ancestor,
    }),
    best: keepBest && BestCheckpoint.check(keepBest, knownMetrics(plugins, { names, options })),
  };
}

/** Throws a `UserError` where the adapter cannot compute as it is asked to. */
function checkPrecision({ precision }: TrainSettings): void {
  const { features, adapter } = Device.default;
  if (precision !== "f16" || features.has("shader-f16")) return;
  throw new UserError(
    `--precision f16 needs an adapter with shader-f16, and ${adapter.name} has none: leave it out`,
  );
}

/** The metrics that a run's best checkpoint can be kept by, and how the names of others begin. */
function knownMetrics(
  plugins: Plugins,
  { names, options }: { names: readonly string[]; options: PrepareOptions },
): { known: string[]; prefixes: string[] } {
  const { conditions, list } = plugins;
  const asked = conditions.filter((condition) => hasHead(condition) && !isLatent(condition));
  return {
    known: [
      ...names.filter((name) => !name.startsWith("check.")),
      ...(options.settings.holdout > 0 ? asked.map(({ name }) => `holdout.${name}`) : []),
    ],
    prefixes: [
      ...(options.evaluate ? ["eval."] : []),
      ...list.filter(({ parts }) => parts.hooks?.checkpoint).map(({ name }) => `${name}.`),
    ],
  };
}

/**
 * Training and sampling: conditions, the compiled step, the loop, checkpoints.
 *
 * @module
 */

export { Acgan, type ModelSettings } from "./acgan.ts";
export { type KeepBest } from "./best.ts";
export {
  BEST,
  type Checkpoint,
  DAMAGED,
  loadCheckpoint,
  NEWEST,
  PREVIOUS,
  readCheckpoint,
  restore,
  saveCheckpoint,
} from "./checkpoint.ts";
export { restoreCondition } from "./conditions.ts";
export {
  checkSettings,
  defaultSchedule,
  presetSettings,
  rateSchedules,
  type Schedule,
  type TrainSettings,
  usualSettings,
  withoutDefaults,
} from "./config.ts";
export { drawGrid, drawSweep, type Painter, withValue } from "./grid.ts";
export { estimateStep, kernelSites } from "./kernel_sites.ts";
export { type ChooseKernels, restoreKernels } from "./kernels.ts";
export { loadGenerator, type TrainedGenerator } from "./load_generator.ts";
export { type Evaluation, train, type TrainOptions } from "./loop.ts";
export { discriminatorTerms, generatorTerms, termWeights } from "./losses.ts";
export { MetricRing, type Metrics } from "./metric_ring.ts";
export { type ChosenPlugin } from "./plugin_setup.ts";
export { type LayerPlugin } from "./plugin_layers.ts";
export { claimedColumns, type PluginDescription, Plugins, requiredColumns } from "./plugins.ts";
export { Critic } from "./critic.ts";
export { interpolate } from "./interpolate.ts";
export { withMix } from "./mixes.ts";
export { type GivenValues, Sampler } from "./sampler.ts";
export type { RunDescription } from "./run.ts";
export { prepareRunFolder, readRun } from "./run_folder.ts";
export { LARGEST_SEED } from "./seeds.ts";
export { type Draw, type StepOptions } from "./lessons.ts";
export { batchesPerStep, compileStep, metricNames, type StepInputs, trainStep } from "./step.ts";
export { type TermGradient, termGradients } from "./term_gradients.ts";
export { type Weights } from "./terms.ts";
export { prepare, type Prepared, type PrepareOptions } from "./prepare.ts";
export { type Progress } from "./reporter.ts";
export { toTensors } from "./batch.ts";
export { findBeginning } from "./transfer.ts";
export { Trial, type TrialFootprint } from "./trial.ts";
export { asUserError, exists, replaceFile } from "./files.ts";
export { fromBytes } from "./pictures.ts";

/**
 * How good the samples of a run are: by a classifier of its own, against real pictures, as figures and as a page.
 *
 * @module
 */

export { Classifier, FEATURES } from "./classifier.ts";
export { type KeptClassifier, keptClassifier } from "./classifier_store.ts";
export { type Curve, readCurves } from "./curves.ts";
export { evaluator } from "./evaluator.ts";
export { evaluate, type EvaluationOptions, type Heading, type Subject } from "./evaluate.ts";
export { type Gallery } from "./gallery.ts";
export { type InceptionJudge } from "./inception_report.ts";
export { type LoadedInception, loadInception } from "./inception_weights.ts";
export { nearestPicture, type NearPicture } from "./nearest_picture.ts";
export { reportPage } from "./html/page.ts";
export { type FeatureReport, type Report } from "./report.ts";
export { type Split, splitLikeRun } from "./split.ts";
export { type StageProgress } from "./stages.ts";
export { type ClassifierProgress } from "./train_classifier.ts";

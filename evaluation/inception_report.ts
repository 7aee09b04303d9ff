import { distanceTo, featureReport, LEAST_PICTURES } from "./feature_scores.ts";
import { FeatureStore } from "./feature_store.ts";
import type { Inception } from "./inception.ts";
import { INCEPTION_FEATURES } from "./inception_layers.ts";
import type { LoadedInception } from "./inception_weights.ts";
import { first, type LabelledPictures } from "./pictures.ts";
import type { InceptionReport } from "./report.ts";
import type { Stages } from "./stages.ts";

/** A network, and what it is used on. */
export interface InceptionJudge extends Omit<LoadedInception, "network"> {
  readonly network: Pick<Inception, "features" | "variant">;
  /** Pictures of each set that it looks at, at most; all by default. */
  readonly most?: number;
  /** Where features of real pictures are kept for the next time; by default nowhere. */
  readonly cache?: string;
}

type Sets<T> = Readonly<Record<"reference" | "others" | "heldOut" | "samples", T>>;

/** Measures distances of pictures in Inception's features, in two stages. */
export async function inceptionReport(
  judge: InceptionJudge,
  sets: Sets<LabelledPictures>,
  { seed, stages }: { seed: number; stages: Stages },
): Promise<InceptionReport> {
  const { network: { variant }, file, sha256, most } = judge;
  const { reference, others, heldOut, samples } = await stages.run(
    "Inception v3",
    (onProgress) => featuresOf(judge, sets, onProgress),
  );
  const dimensions = INCEPTION_FEATURES, options = { dimensions, seed };
  return await stages.run("distances in Inception v3's features", (onProgress) => {
    let done = 0;
    const onScored = () => onProgress(++done, 5);
    const report = featureReport({ reference, others, samples, heldOut }, { ...options, onScored });
    const whole = new Float32Array(reference.length + others.length);
    whole.set(reference);
    whole.set(others, reference.length);
    const enough = Math.min(whole.length, samples.length) >= LEAST_PICTURES * dimensions;
    const distance = enough
      ? { ...distanceTo(whole, options)(samples), reference: whole.length / dimensions }
      : null;
    onScored();
    return { weights: { file, sha256, variant }, most: most ?? null, ...report, whole: distance };
  });
}

/** The features of all sets; those of real pictures may have been kept. */
async function featuresOf(
  { network, sha256, most, cache }: InceptionJudge,
  sets: Sets<LabelledPictures>,
  onProgress: (done: number, total: number) => void,
): Promise<Sets<Float32Array<ArrayBuffer>>> {
  const name = `${sha256} ${network.variant}`, dimensions = INCEPTION_FEATURES;
  const store = cache ? new FeatureStore(cache, { network: name, dimensions }) : undefined;
  const work = await Promise.all(
    (["reference", "others", "heldOut", "samples"] as const).map(async (of) => {
      const pictures = most === undefined ? sets[of] : first(sets[of], most);
      const keeper = of === "samples" ? undefined : store;
      return { of, pictures, keeper, known: await keeper?.find(pictures) };
    }),
  );
  const left = work.filter(({ known }) => !known);
  const total = left.reduce((sum, { pictures }) => sum + pictures.count, 0);
  const found = work.map(({ of, known }) => [of, known] as const).filter(([, known]) => known);
  const result = Object.fromEntries(found) as Record<keyof typeof sets, Float32Array<ArrayBuffer>>;
  let before = 0;
  for (const { of, pictures, keeper } of left) {
    const told = (done: number) => onProgress(before + done, total);
    result[of] = await network.features(pictures, { onProgress: told });
    await keeper?.keep(pictures, result[of]);
    before += pictures.count;
  }
  return result;
}

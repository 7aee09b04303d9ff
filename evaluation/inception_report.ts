import { distanceTo, featureReport, LEAST_PICTURES } from "./feature_scores.ts";
import type { Inception } from "./inception.ts";
import { INCEPTION_FEATURES } from "./inception_layers.ts";
import type { LoadedInception } from "./inception_weights.ts";
import { first, type LabelledPictures } from "./pictures.ts";
import type { InceptionReport } from "./report.ts";
import type { Stages } from "./stages.ts";

/** A network, and how many pictures of each set it looks at, at most; all by default. */
export interface InceptionJudge extends Omit<LoadedInception, "network"> {
  readonly network: Pick<Inception, "features" | "variant">;
  readonly most?: number;
}

/** Measures distances of pictures in Inception's features, in two stages. */
export async function inceptionReport(
  { network, file, sha256, most }: InceptionJudge,
  sets: Readonly<Record<"reference" | "others" | "samples" | "heldOut", LabelledPictures>>,
  { seed, stages }: { seed: number; stages: Stages },
): Promise<InceptionReport> {
  const limited = [sets.reference, sets.others, sets.samples, sets.heldOut]
    .map((set) => most === undefined ? set : first(set, most));
  const [reference, others, samples, heldOut] = await stages.run(
    "Inception v3",
    async (onProgress) => {
      const total = limited.reduce((sum, { count }) => sum + count, 0), found: Float32Array[] = [];
      let before = 0;
      for (const set of limited) {
        found.push(
          await network.features(set, { onProgress: (done) => onProgress(before + done, total) }),
        );
        before += set.count;
      }
      return found;
    },
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
    const weights = { file, sha256, variant: network.variant };
    return { weights, most: most ?? null, ...report, whole: distance };
  });
}

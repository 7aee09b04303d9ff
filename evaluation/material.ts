import { HostGenerator } from "../engine/mod.ts";
import type { Dataset } from "../data/mod.ts";
import { type LabelledPictures, mirrored, pick, picturesOf, shuffled } from "./pictures.ts";

/** The pictures of a training set, as samples are compared to them. */
export interface RealPictures {
  /** All as they are, in the order of the data. */
  readonly train: LabelledPictures;
  /** All in a random order, half of them mirrored where training mirrors. */
  readonly seen: LabelledPictures;
  /** The first half of `seen`, which distances are measured to. */
  readonly reference: LabelledPictures;
  /** The other half: what real pictures score. */
  readonly others: LabelledPictures;
}

/** Prepares a training set; `flip` says whether training mirrored pictures. */
export function realPictures(
  dataset: Dataset,
  { flip, seed }: { flip: boolean; seed: number },
): RealPictures {
  const train = picturesOf(dataset), generator = new HostGenerator(seed);
  const order = pick(train, shuffled(train.count, generator));
  const seen = flip ? mirrored(order, () => generator.uniform() < 0.5) : order;
  const half = Math.ceil(seen.count / 2);
  const part = (from: number, to: number): LabelledPictures =>
    pick(seen, Array.from({ length: to - from }, (_, i) => from + i));
  return { train, seen, reference: part(0, half), others: part(half, seen.count) };
}

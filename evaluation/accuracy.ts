import { accuracyOf, confusion, recallByClass } from "../metrics/mod.ts";
import type { LabelColumn } from "../data/mod.ts";
import type { Judge, Opinion } from "./judge.ts";
import { first, type LabelledPictures } from "./pictures.ts";
import { type Beside, type ColumnAccuracy, orNull, type Report } from "./report.ts";

/** The smallest side that pictures are brought down to for the curve of discriminability. */
const SMALLEST = 4;
/** Pictures that are judged at each lower size, at most. */
const MOST_SHRUNK = 1000;

/** Pictures and what the classifier says of them. */
export interface Judged {
  readonly of: LabelledPictures;
  readonly opinion: Opinion;
}

/** How often the classifier takes samples and real pictures for what they are, by label column. */
export function accuracyByColumn(
  columns: readonly LabelColumn[],
  sets: { samples: Judged; real: Judged },
): Record<string, ColumnAccuracy> {
  return Object.fromEntries(columns.map((column) => [column.name, columnAccuracy(column, sets)]));
}

function columnAccuracy(
  column: LabelColumn,
  sets: { samples: Judged; real: Judged },
): ColumnAccuracy {
  const [samples, real] = [sets.samples, sets.real].map((judged) => confusionOf(judged, column));
  const [bySamples, byReal] = [samples, real].map(recallByClass);
  const count = (row: readonly number[]): number => row.reduce((sum, n) => sum + n, 0);
  return {
    samples: orNull(accuracyOf(samples)),
    real: orNull(accuracyOf(real)),
    classes: column.classes.map((name, i) => ({
      name,
      samples: orNull(bySamples[i]),
      real: orNull(byReal[i]),
      counts: { samples: count(samples[i]), real: count(real[i]) },
    })),
    confusion: { samples, real },
  };
}

/**
 * Accuracy of pictures that were brought down to each lower size and back up: Odena, Olah, Shlens, 2017,
 * section 4.1. A generator that only enlarges small pictures loses nothing on the way.
 */
export async function discriminabilityCurve(
  judge: Judge,
  columns: readonly LabelColumn[],
  options: {
    samples: LabelledPictures;
    real: LabelledPictures;
    onProgress: (done: number, total: number) => void;
  },
): Promise<Report["discriminability"]> {
  const [samples, real] = [options.samples, options.real].map((set) => first(set, MOST_SHRUNK));
  const rows: Report["discriminability"][number][] = [], sizes = sizesUpTo(samples.size);
  for (const [i, size] of sizes.entries()) {
    const ask = async (of: LabelledPictures): Promise<Judged> => {
      return { of, opinion: await judge.ask(of, { shrunk: samples.size / size }) };
    };
    const sets = { samples: await ask(samples), real: await ask(real) };
    const besides = columns.map((column): [string, Beside] => {
      const [samples, real] = [sets.samples, sets.real].map((judged) =>
        orNull(accuracyOf(confusionOf(judged, column)))
      );
      return [column.name, { samples, real }];
    });
    rows.push({ size, columns: Object.fromEntries(besides) });
    options.onProgress(i + 1, sizes.length);
  }
  return rows;
}

function confusionOf({ of, opinion }: Judged, { name, classes }: LabelColumn): number[][] {
  return confusion(of.labels[name], opinion.guesses[name], { classes: classes.length });
}

/** A side and its halves, quarters and so on, the least first. */
function sizesUpTo(size: number): number[] {
  const sizes = [size];
  while (sizes[0] % 2 === 0 && sizes[0] / 2 >= SMALLEST) sizes.unshift(sizes[0] / 2);
  return sizes;
}

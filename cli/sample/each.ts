// Pictures as a data set: a file each, and what they were asked for in labels.csv.

import { encodePng, formatCsv, grid, LABELS_FILE, UserError } from "../../data/mod.ts";
import type { Condition, PictureRequest } from "../../plugin/mod.ts";
import { writeOutput } from "../output.ts";
import { countAloud } from "../progress.ts";
import { drawSeeds } from "./best_of.ts";
import { type Plan, seedsFrom, type Work } from "./drawing.ts";

/** Pictures are drawn and written so many at once: memory does not grow with their number. */
const CHUNK = 64;

/** The file of labels takes its name once all pictures are there: without it, the folder is no data set. */
const UNFINISHED = `${LABELS_FILE}.unfinished`;

/** Writes each picture into a file that is named by its seed, and `labels.csv`, a column a condition. */
export function each({ options }: Plan): Work {
  const { count, seed, scale } = options, seeds = seedsFrom(options);
  const digits = Math.max(5, String(seeds.at(-1)).length);
  return async (drawing) => {
    const { size, conditions } = drawing, length = 3 * size ** 2;
    const out = drawing.path("", `seed-${seed}`, `each-${count}`);
    await makeEmpty(out);
    const said = countAloud("Drew");
    let columns: string[] = [];
    for (let start = 0; start < count; start += CHUNK) {
      const part = seeds.slice(start, start + CHUNK), rows: string[] = [];
      const { pictures, requests } = await drawSeeds(drawing, part, options);
      for (const [i, seed] of part.entries()) {
        const picture = pictures.subarray(i * length, (i + 1) * length);
        const { rgb, ...sides } = grid(picture, { size, columns: 1, padding: 0, scale });
        const file = `${String(seed).padStart(digits, "0")}.png`;
        await writeOutput(`${out}/${file}`, await encodePng(rgb, sides));
        const cells = labelsOf(requests[i], conditions);
        if (start + i === 0) rows.push(formatCsv(["file", ...columns = Object.keys(cells)]));
        rows.push(formatCsv([file, ...columns.map((column) => cells[column])]));
      }
      const bytes = new TextEncoder().encode(rows.join(""));
      await writeOutput(`${out}/${UNFINISHED}`, bytes, { append: true });
      said(start + part.length, count);
    }
    await Deno.rename(`${out}/${UNFINISHED}`, `${out}/${LABELS_FILE}`);
    console.log(`Wrote ${count} pictures and ${LABELS_FILE} into ${out}: ${columns.join(", ")}`);
  };
}

/** What `labels.csv` says of a picture, by column. Of a mix, that is the value that there is most of. */
export function labelsOf(
  { values }: PictureRequest,
  conditions: readonly Condition[],
): Record<string, string> {
  return Object.assign(
    {},
    ...conditions.map((condition, k) =>
      condition.labels?.(values[k]) ?? shown(condition, values[k])
    ),
  );
}

function shown(condition: Condition, value: readonly number[]): Record<string, string> {
  const same = condition.showcase().find((other) => String(other.value) === String(value));
  return { [condition.name]: same?.label ?? value.join(" ") };
}

/** Makes a folder that holds nothing: other pictures would become part of the data set. */
async function makeEmpty(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    for await (const { name } of Deno.readDir(folder)) {
      throw new UserError(
        `${folder} holds "${name}": --each needs a new or an empty folder, given by --out`,
      );
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot write to ${folder}: ${(error as Error).message}`);
  }
}

// Whether a model draws or remembers: each picture beside the real one that is nearest to it.

import { type Dataset, encodePng, grid, loadDataset, mirror } from "../../data/mod.ts";
import { nearestPicture, type NearPicture } from "../../evaluation/mod.ts";
import { median } from "../median.ts";
import { writeOutput } from "../output.ts";
import { countAloud } from "../progress.ts";
import { drawSeeds } from "./best_of.ts";
import { checkPixels, type Plan, seedsFrom, type Work } from "./drawing.ts";

/** Real pictures that it is told of how near they are to each other. */
const COMPARED = 64;

/** Pictures on a sheet, each with its nearest real one to its right, mirrored where that is nearer; tells how near. */
export async function nearest({ options, run: { size } }: Plan): Promise<Work> {
  const { count, seed, scale, cache } = options, seeds = seedsFrom(options);
  checkPixels(2 * count, { size, scale });
  const real = await loadDataset(options.nearest ?? "", {
    size,
    columns: [],
    cache,
    minimum: 2,
    onProgress: countAloud("Read"),
  });
  return async (drawing) => {
    const { pictures } = await drawSeeds(drawing, seeds, options);
    const said = countAloud("Compared"), length = 3 * size ** 2;
    const pairs = new Uint8Array(2 * count * length), found: NearPicture[] = [];
    for (const [i, seed] of seeds.entries()) {
      const picture = pictures.subarray(i * length, (i + 1) * length);
      const near = nearestPicture(picture, real);
      found.push(near);
      pairs.set(picture, 2 * i * length);
      pairs.set(asNear(real, near), (2 * i + 1) * length);
      const name = `${real.files?.[near.index] ?? near.index}${near.mirrored ? ", mirrored" : ""}`;
      console.log(`seed ${seed}: ${near.distance.toFixed(1)} from ${name}`);
      said(i + 1, count);
    }
    const columns = 2 * Math.ceil(Math.sqrt(count / 2));
    const labels = Array.from({ length: columns }, (_, i) => i % 2 === 0 ? "drawn" : "real");
    const sheet = grid(pairs, { size, columns, scale, labels });
    const out = drawing.path(".png", `seed-${seed}`, "nearest");
    await writeOutput(out, await encodePng(sheet.rgb, sheet));
    console.log(
      `Mean absolute difference of pixels, of 255, median: ${medianOf(found).toFixed(1)} to the ` +
        `nearest real picture; ${medianOf(amongReal(real)).toFixed(1)} from a real one to another`,
    );
    console.log(`Wrote ${out}: each picture with the nearest real one on its right`);
  };
}

/** The pixels of a neighbour, as they are near. */
function asNear({ images, size }: Dataset, { index, mirrored: turned }: NearPicture): Uint8Array {
  const length = 3 * size ** 2, picture = images.subarray(index * length, (index + 1) * length);
  return turned ? mirror(picture.slice(), size) : picture;
}

/** How near some of the real pictures, spread evenly, are to their nearest others. */
function amongReal(real: Dataset): NearPicture[] {
  const length = 3 * real.size ** 2, compared = Math.min(COMPARED, real.count);
  return Array.from({ length: compared }, (_, k) => {
    const except = Math.floor(k * real.count / compared);
    const picture = real.images.subarray(except * length, (except + 1) * length);
    return nearestPicture(picture, real, { except });
  });
}

function medianOf(found: readonly NearPicture[]): number {
  return median(found.map(({ distance }) => distance));
}

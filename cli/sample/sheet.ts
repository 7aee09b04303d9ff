import { encodePng, grid } from "../../data/mod.ts";
import { writeOutput } from "../output.ts";
import { drawSeeds } from "./best_of.ts";
import { checkPixels, type Plan, seedsFrom, seedWords, type Work } from "./drawing.ts";

/** All pictures on one sheet, as near to a square as can be. */
export function sheet({ options, run: { size } }: Plan): Work {
  const { count, seed, scale } = options, seeds = seedsFrom(options);
  checkPixels(count, { size, scale });
  return async (drawing) => {
    const { pictures } = await drawSeeds(drawing, seeds, options);
    const sheet = grid(pictures, { size, columns: Math.ceil(Math.sqrt(count)), scale });
    const out = drawing.path(".png", `seed-${seed}`);
    await writeOutput(out, await encodePng(sheet.rgb, sheet));
    console.log(`Wrote ${out}: ${seedWords(seeds)}${count > 1 ? ", by row" : ""}`);
  };
}

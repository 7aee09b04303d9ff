import { encodeGif, encodePng, grid, UserError } from "../../data/mod.ts";
import { interpolate, LARGEST_SEED } from "../../training/mod.ts";
import { writeOutput } from "../output.ts";
import { checkPixels, type Plan, type Work } from "./drawing.ts";

const FRAME_MS = 80;

/** The way through the pictures of some seeds, as PNG frames and one GIF in a folder. */
export function interpolation({ options, run: { size } }: Plan): Work {
  const { frames, loop, scale } = options, seeds = seedsOf(options.interpolate ?? []);
  const legs = loop ? seeds.length : seeds.length - 1;
  checkPixels(legs * (frames - 1) + Number(!loop), { size, scale });
  return async (drawing) => {
    const { conditions } = drawing;
    const requests = interpolate(await drawing.requests(seeds), { conditions, frames, loop });
    const pictures = await drawing.draw(requests), length = 3 * size ** 2;
    const sheets = requests.map((_, i) =>
      grid(pictures.subarray(i * length, (i + 1) * length), { size, columns: 1, padding: 0, scale })
    );
    const out = drawing.path("", `from-${seeds.join("-to-")}${loop ? "-and-back" : ""}`);
    const digits = Math.max(3, String(sheets.length).length);
    for (const [i, sheet] of sheets.entries()) {
      const name = `frame-${String(i + 1).padStart(digits, "0")}.png`;
      await writeOutput(`${out}/${name}`, await encodePng(sheet.rgb, sheet));
    }
    await writeOutput(`${out}/animation.gif`, encodeGif(sheets, { delayMs: FRAME_MS }));
    console.log(`Wrote ${out}/animation.gif and its ${sheets.length} frames`);
  };
}

/** @throws {UserError} where words are not two seeds or more. */
function seedsOf(words: readonly string[]): number[] {
  const seeds = words.map(Number);
  const valid = seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED);
  if (seeds.length >= 2 && valid) return seeds;
  throw new UserError(`--interpolate must be seeds such as 7,12,3, not ${words.join(",")}`);
}

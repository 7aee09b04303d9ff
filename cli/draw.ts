import { writeAvatars } from "../data/mod.ts";
import { defineCommand } from "./command.ts";
import { countAloud } from "./progress.ts";

/** `kao draw`: a data set whose labels are known to be true. */
export const command = defineCommand({
  name: "draw",
  summary: "Draw a data set of labelled avatars",
  positionals: { out: { help: "Folder to write pictures and labels.csv to" } },
  options: {
    count: { type: "integer", short: "n", min: 1, max: 99999, default: 1000, help: "Pictures" },
    size: { type: "integer", min: 8, max: 1024, default: 64, help: "Side of a picture in pixels" },
    seed: {
      type: "integer",
      min: 0,
      max: 2 ** 32 - 1,
      default: 1,
      help: "Seed of the looks; the same seed draws the same pictures",
    },
  },
}, async ({ options, positionals }) => {
  await writeAvatars(positionals.out, { ...options, onProgress: countAloud("Drew") });
  console.log(`Drew ${options.count} avatars into ${positionals.out}`);
});

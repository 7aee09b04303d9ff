import { encodeGif, encodePng, grid, UserError } from "../data/mod.ts";
import {
  drawGrid,
  type GivenValues,
  interpolate,
  LARGEST_SEED,
  loadGenerator,
  readRun,
  restoreCondition,
  Sampler,
} from "../training/mod.ts";
import { defineCommand } from "./command.ts";
import { deviceOptions, openDevice } from "./device.ts";
import type { Options } from "./options.ts";

const FRAME_MS = 80;

/** `kao sample`: draws pictures with what `kao train` made. */
export const command = defineCommand({
  name: "sample",
  summary: "Draw pictures with a trained run: of a description, in a grid, or from one to another",
  positionals: { run: { help: "Folder of the run, the --out of train" } },
  options: {
    count: {
      type: "integer",
      short: "n",
      min: 1,
      default: 16,
      help: "Pictures, or rows of a grid",
    },
    seed: {
      type: "integer",
      min: 0,
      max: LARGEST_SEED,
      default: 1,
      help: "Seed of the first picture; each further one has the next seed",
    },
    grid: {
      type: "string",
      placeholder: "condition",
      help: "Draw a grid: a column a value of this condition, a row a seed",
    },
    interpolate: {
      type: "list",
      placeholder: "seed,seed",
      help: "Draw the way from the picture of one seed to that of another, as frames and a GIF",
    },
    frames: { type: "integer", min: 2, default: 24, help: "Frames of that way" },
    raw: { type: "boolean", help: "Use the weights of the last step instead of their averages" },
    scale: { type: "integer", min: 1, max: 64, default: 1, help: "Draw each pixel this large" },
    out: {
      type: "string",
      placeholder: "path",
      help: "PNG file, or folder for --interpolate; by default in RUN/samples",
    },
    ...deviceOptions,
  },
  moreOptions: async ({ run }) => await conditionOptions(run),
}, async ({ options, positionals, more }) => {
  const { count, seed, scale, raw } = options;
  const folder = positionals.run;
  const { conditions } = await describedRun(folder);
  const given: GivenValues = Object.fromEntries(
    conditions.filter(({ name }) => name in more)
      .map((condition) => [condition.name, condition.parse(String(more[condition.name]))]),
  );
  const columns = conditions.find(({ name }) => name === options.grid);
  if (options.grid !== undefined && !columns) {
    const names = conditions.map(({ name }) => name).join(", ");
    throw new UserError(`Unknown condition "${options.grid}": this model knows ${names}`);
  }
  const ends = options.interpolate && seedsOf(options.interpolate);

  await openDevice(options);
  const { generator, step } = await loadGenerator(folder, {
    raw,
    onMessage: (message) => console.error(message),
  });
  const sampler = new Sampler(generator, conditions);
  const { size } = sampler;
  const seeds = Array.from({ length: count }, (_, i) => seed + i);
  const words = Object.entries(more).map(([name, value]) => `${name}-${value}`);
  const nameOf = (...parts: string[]) =>
    [`${folder}/samples/step-${step}`, ...words, ...parts, ...(raw ? ["raw"] : [])].join("_");

  if (ends) {
    const [from, to] = await sampler.requests(ends, given);
    const pictures = await sampler.draw(interpolate(from, to, options));
    const length = pictures.length / options.frames;
    const frames = Array.from(
      { length: options.frames },
      (_, i) =>
        grid(pictures.subarray(i * length, (i + 1) * length), {
          size,
          columns: 1,
          padding: 0,
          scale,
        }),
    );
    const out = options.out ?? nameOf(`from-${ends[0]}-to-${ends[1]}`);
    for (const [i, frame] of frames.entries()) {
      const name = `frame-${String(i + 1).padStart(3, "0")}.png`;
      await write(`${out}/${name}`, encodePng(frame.rgb, frame));
    }
    await write(`${out}/animation.gif`, encodeGif(frames, { delayMs: FRAME_MS }));
    console.log(`Wrote ${out}/animation.gif and its ${frames.length} frames`);
  } else if (columns) {
    const out = options.out ?? `${nameOf(`grid-${columns.name}`, `seed-${seed}`)}.png`;
    await write(out, await drawGrid(sampler, columns, { seeds, given, scale }));
    console.log(`Wrote ${out}: columns are ${columns.showcase().map((c) => c.label).join(", ")}`);
  } else {
    const pictures = await sampler.draw(await sampler.requests(seeds, given));
    const sheet = grid(pictures, { size, columns: Math.ceil(Math.sqrt(count)), scale });
    const out = options.out ?? `${nameOf(`seed-${seed}`)}.png`;
    await write(out, encodePng(sheet.rgb, sheet));
    const last = seed + count - 1;
    console.log(
      `Wrote ${out}: ${count === 1 ? `seed ${seed}` : `seeds ${seed} to ${last}, by row`}`,
    );
  }
});

async function describedRun(folder: string) {
  const run = await readRun(folder);
  if (!run) {
    throw new UserError(
      `${folder} is not a run: it is the folder that was given to train as --out`,
    );
  }
  return { conditions: run.conditions.map(restoreCondition) };
}

async function conditionOptions(folder: string): Promise<Options> {
  const { conditions } = await describedRun(folder);
  return Object.fromEntries(
    conditions.map(({ name, help }) => [name, { type: "string", help: `Draw ${name}: ${help}` }]),
  );
}

function seedsOf(words: readonly string[]): number[] {
  const seeds = words.map(Number);
  const valid = seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED);
  if (seeds.length === 2 && valid) return seeds;
  throw new UserError(`--interpolate must be two seeds such as 7,12, not ${words.join(",")}`);
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const slash = path.lastIndexOf("/");
    if (slash > 0) await Deno.mkdir(path.slice(0, slash), { recursive: true });
    await Deno.writeFile(path, bytes);
  } catch (error) {
    throw new UserError(`Cannot write ${path}: ${(error as Error).message}`);
  }
}

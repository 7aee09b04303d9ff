import { encodeGif, encodePng, grid, UserError } from "../data/mod.ts";
import {
  drawGrid,
  type GivenValues,
  interpolate,
  LARGEST_SEED,
  loadGenerator,
  readRun,
  restoreCondition,
  restoreKernels,
  Sampler,
} from "../training/mod.ts";
import { defineCommand } from "./command.ts";
import { deviceOptions, openDevice } from "./device.ts";
import { type Condition, flagsOf, type Option, type Options } from "../plugin/mod.ts";
import { writeOutput } from "./output.ts";
import {
  type DrawingPlugin,
  drawingPlugins,
  kindsOf,
  normalizationOf,
  withPlugins,
} from "./plugins.ts";
import { kernelChooser, tuneOptions } from "./tuning.ts";

const FRAME_MS = 80;

/** With `--tune fast`, kernels that training did not choose are measured for so long. */
const TUNING_SECONDS = 10;

/** More pixels than this in one picture, or in all frames together, are refused. */
const LARGEST_PIXELS = 100_000_000;

const options = {
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
  ...tuneOptions,
  ...deviceOptions,
} as const satisfies Options;

/** Names that no condition can have, because they are options of `sample` already. */
export const reservedNames: readonly string[] = flagsOf(options);

/** `kao sample`: draws pictures with what `kao train` made. */
export const command = defineCommand({
  name: "sample",
  summary: "Draw pictures with a trained run: of a description, in a grid, or from one to another",
  positionals: { run: { help: "Folder of the run, the --out of train" } },
  options,
  moreOptions: async ({ positionals }) => {
    const { run } = positionals() ?? {};
    if (run === undefined) return { options: {}, found: undefined };
    const described = await describedRun(run);
    return { options: moreOptions(described), found: described };
  },
}, async ({ options, positionals, more, found }) => {
  const { count, seed, scale, raw } = options;
  const folder = positionals.run;
  const { conditions, size, plugins } = found!;
  const given: GivenValues = Object.fromEntries(
    conditions.filter(({ name }) => Object.hasOwn(more, name))
      .map((condition) => [condition.name, condition.parse(String(more[condition.name]))]),
  );
  const columns = conditions.find(({ name }) => name === options.grid);
  if (options.grid !== undefined && !columns) {
    const names = conditions.map(({ name }) => name).join(", ");
    throw new UserError(`Unknown condition "${options.grid}": this model knows ${names}`);
  }
  const ends = options.interpolate && seedsOf(options.interpolate);
  if (ends && columns) throw new UserError("Choose one of --grid and --interpolate");
  if (columns && Object.hasOwn(given, columns.name)) {
    const { name } = columns;
    throw new UserError(`--grid ${name} shows every ${name}: leave out --${name}, or draw no grid`);
  }
  if (seed + count - 1 > LARGEST_SEED) {
    throw new UserError(`The last seed would be above ${LARGEST_SEED}: use a smaller --seed or -n`);
  }
  const drawn = ends ? options.frames : count * (columns?.showcase().length ?? 1);
  if (drawn * (size * scale) ** 2 > LARGEST_PIXELS) {
    throw new UserError(
      `${drawn} pictures of ${size * scale}x${size * scale} are more than ` +
        `${LARGEST_PIXELS / 1e6} million pixels: draw fewer, or at a smaller --scale`,
    );
  }

  const device = await openDevice(options);
  const onMessage = (message: string) => console.error(message);
  const { generator, step } = await loadGenerator(folder, {
    raw,
    kinds: kindsOf(plugins),
    normalization: normalizationOf(plugins),
    onMessage,
  });
  const plain = new Sampler(generator, conditions);
  const open = await restoreKernels(folder, plain.sites(), { device, onMessage });
  if (open.length > 0) await kernelChooser(device, options, { seconds: TUNING_SECONDS })?.(open);
  const sampler = withPlugins(plain, plugins, more);
  const seeds = Array.from({ length: count }, (_, i) => seed + i);
  const words = Object.entries(more).map(([name, value]) => `${name}-${fileName(value)}`);
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
      await writeOutput(`${out}/${name}`, await encodePng(frame.rgb, frame));
    }
    await writeOutput(`${out}/animation.gif`, encodeGif(frames, { delayMs: FRAME_MS }));
    console.log(`Wrote ${out}/animation.gif and its ${frames.length} frames`);
  } else if (columns) {
    const out = options.out ?? `${nameOf(`grid-${columns.name}`, `seed-${seed}`)}.png`;
    await writeOutput(out, await drawGrid(sampler, columns, { seeds, given, scale }));
    console.log(`Wrote ${out}: columns are ${columns.showcase().map((c) => c.label).join(", ")}`);
  } else {
    const pictures = await sampler.draw(await sampler.requests(seeds, given));
    const sheet = grid(pictures, { size, columns: Math.ceil(Math.sqrt(count)), scale });
    const out = options.out ?? `${nameOf(`seed-${seed}`)}.png`;
    await writeOutput(out, await encodePng(sheet.rgb, sheet));
    const last = seed + count - 1;
    console.log(
      `Wrote ${out}: ${count === 1 ? `seed ${seed}` : `seeds ${seed} to ${last}, by row`}`,
    );
  }
});

/** What is known of a run before its checkpoint is read. */
interface DescribedRun {
  readonly size: number;
  readonly conditions: readonly Condition[];
  readonly plugins: readonly DrawingPlugin[];
}

async function describedRun(folder: string): Promise<DescribedRun> {
  const run = await readRun(folder);
  if (!run) {
    throw new UserError(
      `${folder} is not a run: it is the folder that was given to train as --out`,
    );
  }
  const plugins = await drawingPlugins(run);
  const conditions = run.conditions.map((it) => restoreCondition(it, { kinds: kindsOf(plugins) }));
  return { size: run.size, conditions, plugins };
}

/** An option a condition, and those that plugins bring. */
function moreOptions({ conditions, plugins }: DescribedRun): Options {
  const ofConditions = conditions.map(({ name, help }): [string, Option] => [
    name,
    { type: "string", flag: name, help: `Draw ${name}: ${help}` },
  ]);
  const ofPlugins = plugins.flatMap(({ sampling }) => Object.entries(sampling?.options ?? {}));
  return Object.fromEntries([...ofConditions, ...ofPlugins]);
}

/** A class as a part of a file's name: a class may be named with a slash. */
function fileName(text: unknown): string {
  return String(text).replaceAll(/[^\p{L}\p{N}_.-]+/gu, "_");
}

function seedsOf(words: readonly string[]): number[] {
  const seeds = words.map(Number);
  const valid = seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED);
  if (seeds.length === 2 && valid) return seeds;
  throw new UserError(`--interpolate must be two seeds such as 7,12, not ${words.join(",")}`);
}

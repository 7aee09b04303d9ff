// Does a slider change what it names, and nothing else? Asks a trained run for avatars of given tilt, hair length
// and smile, measures what came by fitting drawn avatars to it, and writes a report with strips.
//
//   deno run -A examples/slider_report.ts RUN OUT [--gap tilt=0.2..0.4,smile=0.5..0.6]
//
// RUN was trained on `kao draw`'s pictures with `--columns hair,style,skin` and the plugin continuous-labels on
// tilt, hair_length and smile; --gap names intervals that were left out of its data.

import {
  type AvatarAttributes,
  drawAvatars,
  encodePng,
  fitAvatar,
  grid,
  mirror,
} from "../data/mod.ts";
import { Device } from "../engine/mod.ts";
import { Categorical, type Continuous, type PictureRequest } from "../plugin/mod.ts";
import { loadGenerator, Sampler } from "../training/mod.ts";

/** Names of the sliders, and of what they are in a drawn avatar. */
const SLIDERS = { tilt: "tilt", hair_length: "hairLength", smile: "smile" } as const;
type Slider = keyof typeof SLIDERS;
const NAMES = Object.keys(SLIDERS) as Slider[];
/** How much each slider can change. */
const RANGE = { tilt: 2, hair_length: 1, smile: 1 };
/** Pictures that correlations are over, seeds whose sliders go from end to end, and rows of a strip. */
const ASKED = 384, SWEPT = 48, ROWS = 6;

const [folder, out, , gaps = ""] = Deno.args;
if (folder === undefined || out === undefined) {
  console.error("Usage: deno run -A examples/slider_report.ts RUN OUT [--gap tilt=0.2..0.4,...]");
  Deno.exit(1);
}
await Deno.mkdir(out, { recursive: true });
await Device.open();
const { generator, conditions, step } = await loadGenerator(folder);
const sampler = new Sampler(generator, conditions), { size } = sampler;
const sliderOf = (name: Slider): { at: number; slider: Continuous } => {
  const at = conditions.findIndex((condition) => condition.name === name);
  return { at, slider: conditions[at] as Continuous };
};

/** Pictures, each with what was asked for and what the drawing nearest to it has. */
interface Measured {
  readonly asked: Record<Slider, number>;
  readonly found: Record<Slider, number>;
  readonly style: string;
}

/** Draws what is asked for, and measures it. Hair, style and skin are taken to be what was asked for. */
async function measure(requests: readonly PictureRequest[]): Promise<Measured[]> {
  const pictures = await sampler.draw(requests);
  return requests.map(({ values }, i) => {
    const known = Object.fromEntries(
      conditions.flatMap((condition, k) =>
        condition instanceof Categorical ? [[condition.name, condition.classes[values[k][0]]]] : []
      ),
    );
    const asked = mapped((name) => {
      const { at, slider } = sliderOf(name);
      return slider.number(values[at][0]);
    });
    return { asked, found: fit(pictureOf(pictures, i), known), style: known.style };
  });
}

function fit(image: Uint8Array, known: Partial<AvatarAttributes>): Record<Slider, number> {
  // In training half of all pictures were mirrored, and a ponytail is on one side.
  const there = fitAvatar(image, { size, known }),
    back = fitAvatar(mirror(image.slice(), size), { size, known });
  const looks = there.distance <= back.distance
    ? there.looks
    : { ...back.looks, tilt: -back.looks.tilt };
  return mapped((name) => looks[SLIDERS[name]]);
}

const pictureOf = (pictures: Uint8Array, i: number): Uint8Array =>
  pictures.subarray(i * 3 * size ** 2, (i + 1) * 3 * size ** 2);

function mapped<T>(value: (name: Slider) => T): Record<Slider, T> {
  return Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Record<Slider, T>;
}

const mean = (x: readonly number[]): number => x.reduce((sum, v) => sum + v, 0) / x.length;

/** Pearson's correlation. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  const over = (x: readonly number[], mx: number, y: readonly number[], my: number) =>
    x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0);
  return over(a, ma, b, mb) / Math.sqrt(over(a, ma, a, ma) * over(b, mb, b, mb));
}

const report: string[] = [];
const say = (line = ""): void => {
  console.log(line);
  report.push(line);
};
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
  const text = (cell: string | number) => typeof cell === "number" ? cell.toFixed(3) : cell;
  const line = (cells: readonly (string | number)[]) => say(`| ${cells.map(text).join(" | ")} |`);
  line(head);
  line(head.map((_, i) => i === 0 ? "---" : "---:"));
  rows.forEach(line);
  say();
};

say(`## The measure`);
say();
say(
  `Drawn avatars whose truth is known, fitted in the same way: correlation of truth and measure.`,
);
say();
const drawn = drawAvatars({ count: 96, size, seed: 2002 });
const fits = drawn.attributes.map(({ hair, style, skin }, i) =>
  fit(pictureOf(drawn.images, i), { hair, style, skin })
);
table(
  ["", ...NAMES],
  [[
    "drawn",
    ...NAMES.map((name) =>
      correlation(
        drawn.attributes.map((it) => it[SLIDERS[name]]),
        fits.map((it) => it[name]),
      )
    ),
  ]],
);

say(`## What was asked for, and what came`);
say();
say(
  `Step ${step}; ${ASKED} pictures, everything drawn at random. Correlation of what was asked for (rows) ` +
    `and what was measured (columns).`,
);
say();
const seeds = Array.from({ length: ASKED }, (_, i) => 5000 + i);
const all = await measure(await sampler.requests(seeds));
table(
  ["", ...NAMES],
  NAMES.map((asked) => [
    asked,
    ...NAMES.map((found) =>
      correlation(all.map((it) => it.asked[asked]), all.map((it) => it.found[found]))
    ),
  ]),
);
say("By hair style:");
say();
table(
  ["", ...NAMES],
  [...new Set(all.map(({ style }) => style))].sort().map((style) => {
    const those = all.filter((it) => it.style === style);
    return [
      `${style}, ${those.length} pictures`,
      ...NAMES.map((name) =>
        correlation(those.map((it) => it.asked[name]), those.map((it) => it.found[name]))
      ),
    ];
  }),
);

say(`## One slider at a time`);
say();
say(
  `Each slider from end to end, everything else held, ${SWEPT} seeds: mean change of what is measured, and in ` +
    `brackets the mean of its absolute value, as shares of what it can change.`,
);
say();
const base = await sampler.requests(Array.from({ length: SWEPT }, (_, i) => 9000 + i));
const set = (request: PictureRequest, name: Slider, value: readonly number[]): PictureRequest => ({
  ...request,
  values: request.values.with(sliderOf(name).at, value),
});
const changes: (string | number)[][] = [];
for (const name of NAMES) {
  const sweep = sliderOf(name).slider.showcase();
  const ends = await Promise.all(
    [sweep[0], sweep.at(-1)!].map(({ value }) =>
      measure(base.map((request) => set(request, name, value)))
    ),
  );
  changes.push([
    name,
    ...NAMES.map((other) => {
      const change = base.map((_, i) =>
        (ends[1][i].found[other] - ends[0][i].found[other]) / RANGE[other]
      );
      return `${mean(change).toFixed(3)} (${mean(change.map(Math.abs)).toFixed(3)})`;
    }),
  ]);
  const pictures = await sampler.draw(
    base.slice(0, ROWS).flatMap((request) => sweep.map(({ value }) => set(request, name, value))),
  );
  const labels = sweep.map(({ label }) => label);
  const strip = grid(pictures, { size, columns: sweep.length, labels, scale: 2 });
  await Deno.writeFile(`${out}/${name}.png`, await encodePng(strip.rgb, strip));
}
table(["", ...NAMES], changes);
NAMES.forEach((name) => say(`![${name}, from end to end](${name}.png)\n`));

if (gaps !== "") {
  say(`## Values that training never saw`);
  say();
  const rows: (string | number)[][] = [];
  for (const word of gaps.split(",")) {
    const [name, from, to] = word.split(/=|\.\./) as [Slider, string, string];
    const { slider } = sliderOf(name);
    const [low, high] = [from, to].map((text) => slider.parse(text)[0]);
    const value = (i: number) => [low + (i + 0.5) / SWEPT * (high - low)];
    const came = await measure(base.map((request, i) => set(request, name, value(i))));
    const asked = came.map((it) => it.asked[name]), found = came.map((it) => it.found[name]);
    rows.push([
      `${name}, ${from} to ${to}`,
      mean(asked),
      mean(found),
      mean(found.map((x, i) => Math.abs(x - asked[i]) / RANGE[name])),
      mean(all.map((it) => Math.abs(it.found[name] - it.asked[name]) / RANGE[name])),
    ]);
  }
  table(
    ["left out", "mean asked", "mean measured", "mean error, share of range", "the same elsewhere"],
    rows,
  );
}
await Deno.writeTextFile(`${out}/report.md`, report.join("\n"));

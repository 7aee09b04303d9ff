// Does a slider change what it names, and nothing else? Asks a trained run for drawn avatars of known tilt, hair
// length and smile, measures them by a network that learnt from other drawn avatars, whose truth is known, and
// writes a report with strips.
//
//   deno run -A examples/slider_report.ts RUN OUT [--gap tilt=0.2..0.4,smile=0.5..0.6]

import { drawAvatars, encodePng, grid } from "../data/mod.ts";
import {
  Adam,
  BatchNorm2d,
  cast,
  compile,
  Conv2d,
  Device,
  div,
  flatten,
  HostGenerator,
  leakyRelu,
  Linear,
  Module,
  mseLoss,
  read,
  sub,
  type Tensor,
  tensor,
  Variable,
} from "../engine/mod.ts";
import { type Condition, Continuous } from "../plugin/mod.ts";
import { loadGenerator, Sampler } from "../training/mod.ts";

const SLIDERS = ["tilt", "hair_length", "smile"] as const;
type Slider = typeof SLIDERS[number];
const BATCH = 64, PICTURES = 8000, STEPS = 900;
/** Pictures that correlations are over, and seeds whose pictures are swept. */
const ASKED = 512, SWEPT = 64, STRIPS = 6;

/** Measures the three sliders of pictures. */
class Measure extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly norm3: BatchNorm2d;
  readonly head: Linear;

  constructor(size: number) {
    super();
    const generator = new HostGenerator(1);
    const shape = { kernelSize: 4, stride: 2, padding: 1, generator };
    this.conv1 = new Conv2d(3, 32, shape);
    this.conv2 = new Conv2d(32, 64, shape);
    this.norm2 = new BatchNorm2d(64);
    this.conv3 = new Conv2d(64, 128, shape);
    this.norm3 = new BatchNorm2d(128);
    this.head = new Linear(128 * (size / 8) ** 2, SLIDERS.length, { generator });
  }

  /** Bytes `[n, 3, size, size]` to `[n, 3]`, each slider scaled to [-1, 1]. */
  forward(images: Tensor): Tensor {
    const half = { negativeSlope: 0.2 };
    let x = leakyRelu(this.conv1.forward(centred(images)), half);
    x = leakyRelu(this.norm2.forward(this.conv2.forward(x)), half);
    x = leakyRelu(this.norm3.forward(this.conv3.forward(x)), half);
    return this.head.forward(flatten(x, { start: 1 }));
  }
}
/** Bytes as numbers around 0. */
const centred = (bytes: Tensor): Tensor => sub(div(cast(bytes, "f32"), 127.5), 1);

/** Numbers of drawn avatars, scaled to [-1, 1]. */
function draw(count: number, options: { size: number; seed: number }) {
  const { images, attributes } = drawAvatars({ count, ...options });
  const truth = attributes.flatMap(({ tilt, hairLength, smile }) => [
    tilt,
    2 * hairLength - 1,
    2 * smile - 1,
  ]);
  return { images, truth: Float32Array.from(truth) };
}

type Program = (images: Uint8Array) => Promise<Float32Array[]>;

/** Learns to measure; what comes out gives a column of numbers a slider. */
async function learnToMeasure(size: number): Promise<Program> {
  const net = new Measure(size), bytes = 3 * size * size;
  const lr = new Variable(new Float32Array([1e-3]), []);
  const optimizer = new Adam(net.namedParameters(), { lr });
  const step = compile((images: Tensor, truth: Tensor) => {
    const loss = mseLoss(net.forward(images), truth);
    optimizer.minimize(loss);
    return loss;
  });
  const { images, truth } = draw(PICTURES, { size, seed: 1001 });
  for (let i = 0; i < STEPS; i++) {
    const from = i * BATCH % (PICTURES - BATCH);
    lr.set(new Float32Array([1e-3 * Math.min(1, 2 * (1 - i / STEPS))]));
    const loss = step(
      tensor(images.slice(from * bytes, (from + BATCH) * bytes), [BATCH, 3, size, size]),
      tensor(truth.slice(from * SLIDERS.length, (from + BATCH) * SLIDERS.length), [
        BATCH,
        SLIDERS.length,
      ]),
    );
    if (i % 100 === 99) {
      console.error(
        `Learning to measure: ${i + 1}/${STEPS}, loss ${(await read([loss]))[0][0].toFixed(4)}`,
      );
    }
  }
  net.eval();
  const measure = compile((images: Tensor) => net.forward(images));
  return async (images) => {
    const count = images.length / bytes;
    const columns = SLIDERS.map(() => new Float32Array(count));
    for (let start = 0; start < count; start += BATCH) {
      const chunk = new Uint8Array(BATCH * bytes);
      chunk.set(images.subarray(start * bytes, Math.min(count, start + BATCH) * bytes));
      const [found] = await read([measure(tensor(chunk, [BATCH, 3, size, size]))]);
      for (let i = 0; i < Math.min(BATCH, count - start); i++) {
        columns.forEach((column, k) => column[start + i] = found[i * SLIDERS.length + k]);
      }
    }
    return columns;
  };
}

/** Pearson's correlation. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (x: ArrayLike<number>) => Array.from(x).reduce((s, v) => s + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

const [folder, out, , gapText = ""] = Deno.args;
if (folder === undefined || out === undefined) {
  console.error("Usage: deno run -A examples/slider_report.ts RUN OUT [--gap tilt=0.2..0.4,...]");
  Deno.exit(1);
}
await Deno.mkdir(out, { recursive: true });
await Device.open();
const { generator, conditions, step } = await loadGenerator(folder);
const sampler = new Sampler(generator, conditions), { size } = sampler;
const measure = await learnToMeasure(size);
const sliders = SLIDERS.map((name) =>
  conditions.find((condition: Condition): condition is Continuous =>
    condition.name === name && condition instanceof Continuous
  )!
);
const report: string[] = [];
const say = (line = "") => {
  console.log(line);
  report.push(line);
};

// How well the measure does on pictures whose truth is known.
const real = draw(ASKED, { size, seed: 2002 });
const measuredReal = await measure(real.images);
say(`Step ${step}. Correlation, over ${ASKED} drawn pictures, of truth and measure:`);
SLIDERS.forEach((name, k) => {
  const truth = Array.from({ length: ASKED }, (_, i) => real.truth[i * SLIDERS.length + k]);
  say(`  ${name.padEnd(12)} ${correlation(truth, measuredReal[k]).toFixed(3)}`);
});

// What is asked for, against what is measured.
const seeds = Array.from({ length: ASKED }, (_, i) => 5000 + i);
const requests = await sampler.requests(seeds);
const measured = await measure(await sampler.draw(requests));
say();
say(
  `Correlation, over ${ASKED} samples, of what was asked for (rows) and what was measured (columns):`,
);
say(`  ${"".padEnd(12)} ${SLIDERS.map((name) => name.padStart(12)).join("")}`);
SLIDERS.forEach((name, k) => {
  const at = conditions.indexOf(sliders[k]);
  const asked = requests.map(({ values }) => values[at][0]);
  const row = measured.map((column) => correlation(asked, column).toFixed(3).padStart(12));
  say(`  ${name.padEnd(12)} ${row.join("")}`);
});

// One slider at a time.
say();
say(
  `Mean change of each measure, as a share of its range, as one slider goes from end to end (${SWEPT} seeds):`,
);
const rows = await sampler.requests(Array.from({ length: SWEPT }, (_, i) => 9000 + i));
for (const [k, name] of SLIDERS.entries()) {
  const at = conditions.indexOf(sliders[k]);
  const sweep = sliders[k].showcase();
  const drawn = await sampler.draw(
    rows.flatMap(({ z, values }) =>
      sweep.map(({ value }) => ({ z, values: values.with(at, value) }))
    ),
  );
  const found = await measure(drawn);
  const change = found.map((column) =>
    rows.reduce((sum, _, i) => {
      const first = column[i * sweep.length], last = column[(i + 1) * sweep.length - 1];
      return sum + (last - first) / 2;
    }, 0) / rows.length
  );
  const absolute = found.map((column) =>
    rows.reduce((sum, _, i) => {
      const first = column[i * sweep.length], last = column[(i + 1) * sweep.length - 1];
      return sum + Math.abs(last - first) / 2;
    }, 0) / rows.length
  );
  say(
    `  ${name.padEnd(12)} ${
      change.map((x, j) => `${x.toFixed(3)} (|.| ${absolute[j].toFixed(3)})`.padStart(22)).join("")
    }`,
  );
  const strip = grid(drawn.subarray(0, STRIPS * sweep.length * 3 * size * size), {
    size,
    columns: sweep.length,
    labels: sweep.map(({ label }) => label),
    scale: 2,
  });
  await Deno.writeFile(`${out}/${name}.png`, await encodePng(strip.rgb, strip));
}

// Numbers that no picture in training had.
for (const word of gapText.split(",").filter((word) => word !== "")) {
  const [name, from, to] = word.split(/=|\.\./) as [Slider, string, string];
  const k = SLIDERS.indexOf(name), slider = sliders[k], at = conditions.indexOf(slider);
  const [low, high] = [from, to].map((text) => slider.parse(text)[0]);
  const targets = rows.map((_, i) => low + (i + 0.5) / rows.length * (high - low));
  const drawn = await sampler.draw(
    rows.map(({ z, values }, i) => ({ z, values: values.with(at, [targets[i]]) })),
  );
  const found = (await measure(drawn))[k];
  const mean = (x: ArrayLike<number>) => Array.from(x).reduce((s, v) => s + v, 0) / x.length;
  say();
  say(
    `${name} from ${from} to ${to}, which training never saw: asked for ${
      slider.number(mean(targets)).toFixed(3)
    } ` +
      `on average, measured ${slider.number(mean(found)).toFixed(3)}, correlation within ` +
      `${correlation(targets, found).toFixed(3)}`,
  );
}
await Deno.writeTextFile(`${out}/report.txt`, report.join("\n") + "\n");

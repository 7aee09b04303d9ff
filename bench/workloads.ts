// Times whole training steps of ACGAN on this adapter, as published figures of other engines are taken: a
// step lasts from its start until its losses have been read; the first step, which compiles, is apart.
//
//   deno task bench [acgan32|acgan64] [--batch 32] [--steps 5] [--warmup 2] [--profile]
//
// Prints one line of JSON a workload; with --profile also where the time of one of its steps goes.

import { parseArgs } from "@std/cli/parse-args";
import { compile, Device, HostGenerator, read, type Tensor, tensor } from "../engine/mod.ts";
import { debugFlags } from "../engine/debug.ts";
import type { PresetName } from "../models/mod.ts";
import { Acgan, Categorical, presetSettings, trainStep } from "../training/mod.ts";

/** Images and labels are noise: the arithmetic does not depend on them. Batches are cycled through. */
const RING = 4;
const CLASSES = Array.from({ length: 12 }, (_, i) => `class ${i}`);

interface Options {
  readonly batch: number;
  readonly steps: number;
  readonly warmup: number;
}

async function bench(preset: PresetName, options: Options): Promise<Record<string, unknown>> {
  const { batch, steps, warmup } = options;
  const settings = presetSettings(preset);
  const label = Categorical.fromLabels("label", CLASSES, Int32Array.from(CLASSES.keys()));
  const model = new Acgan(settings, [label]);
  const batches = Array.from({ length: RING }, (_, seed) => noiseBatch(settings, batch, { seed }));
  const step = compile((images, y, z, c, z2, c2) =>
    trainStep(model, {
      images,
      values: [y],
      forD: { z, values: [c] },
      forG: { z: z2, values: [c2] },
    }), { name: preset });

  const times: number[] = [];
  for (let i = 0; i < warmup + steps; i++) {
    const start = performance.now();
    await read(Object.values(step(...batches[i % RING])));
    times.push(performance.now() - start);
  }
  const counted = times.slice(warmup).sort((a, b) => a - b);
  const median = counted[counted.length >> 1];
  const { adapter, memory } = Device.default;
  return {
    engine: "kao",
    device: adapter.name,
    workload: preset,
    batch,
    first_step_ms: Math.round(times[0]),
    step_ms: { min: counted[0], median, max: counted[counted.length - 1] },
    images_per_s: 1000 * batch / median,
    device_bytes: memory.bytes,
  };
}

/** Real images with labels, then noise and labels for each of the two networks. */
function noiseBatch(
  settings: { size: number; generator: { latent: number } },
  batch: number,
  { seed }: { seed: number },
): Tensor[] {
  const host = new HostGenerator(seed);
  const noise = (...shape: number[]): Tensor => {
    const length = shape.reduce((a, b) => a * b, 1);
    return tensor(Float32Array.from({ length }, () => host.normal()), shape);
  };
  const labels = (): Tensor =>
    tensor(Int32Array.from({ length: batch }, () => Math.floor(host.uniform() * CLASSES.length)));
  const { size, generator: { latent } } = settings;
  const draw = (): Tensor[] => [noise(batch, latent), labels()];
  return [noise(batch, 3, size, size), labels(), ...draw(), ...draw()];
}

const { _: names, batch, steps, warmup, profile } = parseArgs(Deno.args, {
  default: { batch: 32, steps: 5, warmup: 2 },
  boolean: ["profile"],
});
if (profile) debugFlags.add("profile");
await Device.open();
for (const name of names.length > 0 ? names : ["acgan32"]) {
  const options = { batch: Number(batch), steps: Number(steps), warmup: Number(warmup) };
  console.log(JSON.stringify(await bench(name as PresetName, options)));
}

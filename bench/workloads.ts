// Times whole training steps of ACGAN on this adapter, as published figures of other engines are taken: a
// step lasts from its start until its losses have been read; the first steps, which compile, are apart.
//
//   deno task bench [acgan32|acgan64] [--batch 32] [--steps 5] [--warmup 2]
//
// Prints one line of JSON a workload.

import { parseArgs } from "@std/cli/parse-args";
import { compile, Device, HostGenerator, read, type Tensor, tensor } from "../engine/mod.ts";
import { presets } from "../models/mod.ts";
import { Acgan, Categorical, defaultSettings, trainStep } from "../training/mod.ts";

/** Images and labels are noise: the arithmetic does not depend on them. Batches are cycled through. */
const RING = 4;
const CLASSES = Array.from({ length: 12 }, (_, i) => `class ${i}`);

type Workload = "acgan32" | "acgan64";

async function bench(
  workload: Workload,
  options: { batch: number; steps: number; warmup: number },
): Promise<Record<string, unknown>> {
  const { batch, steps, warmup } = options;
  const { size, generator, discriminator } = presets[workload];
  const model = new Acgan(
    { ...defaultSettings, size, generator, discriminator, seed: 1 },
    [Categorical.fromLabels("label", CLASSES, Int32Array.from(CLASSES.keys()))],
  );
  const host = new HostGenerator(7);
  const noise = (shape: number[]): Tensor =>
    tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => host.normal()), shape);
  const labels = (): Tensor =>
    tensor(Int32Array.from({ length: batch }, () => Math.floor(host.uniform() * CLASSES.length)));
  const batches = Array.from({ length: RING }, () => [
    noise([batch, 3, size, size]),
    labels(),
    noise([batch, generator.latent]),
    labels(),
    noise([batch, generator.latent]),
    labels(),
  ]);
  const step = compile((images, y, z, c, z2, c2) =>
    trainStep(model, {
      images,
      values: [y],
      forD: { z, values: [c] },
      forG: { z: z2, values: [c2] },
    }), { name: workload });

  const times: number[] = [];
  for (let i = 0; i < warmup + steps; i++) {
    const start = performance.now();
    await read(Object.values(step(...batches[i % RING])));
    times.push(performance.now() - start);
  }
  const sorted = times.slice(warmup).sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  return {
    engine: "kao",
    device: Device.default.adapter.name,
    workload,
    batch,
    first_step_ms: Math.round(times[0]),
    step_ms: { min: sorted[0], median, max: sorted[sorted.length - 1] },
    images_per_s: batch / median * 1000,
    device_bytes: Device.default.memory.bytes,
  };
}

const args = parseArgs(Deno.args, { default: { batch: 32, steps: 5, warmup: 2 } });
await Device.open();
for (const name of args._.length > 0 ? args._ : ["acgan32"]) {
  const { batch, steps, warmup } = args;
  console.log(JSON.stringify(await bench(name as Workload, { batch, steps, warmup })));
}

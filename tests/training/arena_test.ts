// The arena of whole training steps against the least that any placement could do with.

import { assertLessOrEqual } from "@std/assert";
import { tensor } from "../../engine/mod.ts";
import { livenessBound, placementBytes } from "../../engine/compile/memory.ts";
import { lower, type Lowered } from "../../engine/compile/lower.ts";
import { allPasses } from "../../engine/compile/passes.ts";
import type { Slot } from "../../engine/kernels/dispatch.ts";
import { ImageSlot } from "../../engine/kernels/image.ts";
import { TexelSlot } from "../../engine/kernels/texels.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { type Variable, withBindings } from "../../engine/variable.ts";
import type { presets } from "../../models/mod.ts";
import { Categorical } from "../../plugin/mod.ts";
import { Acgan, presetSettings, trainStep } from "../../training/mod.ts";

/** What every WebGPU device can bind to a kernel. */
const MOST_BUFFERS = 8, MOST_TEXTURES = 4;
const CLASSES = Array.from({ length: 12 }, (_, i) => `class ${i}`);

/** Lowers a training step of a preset, as for an adapter that is a CPU or a GPU. */
function lowerStep(
  preset: keyof typeof presets,
  options: { batch: number; cpu: boolean },
): Lowered {
  const { batch, cpu } = options;
  const settings = presetSettings(preset);
  const label = Categorical.fromLabels("label", CLASSES, Int32Array.from(CLASSES.keys()));
  const model = new Acgan(settings, [label]);
  const zeros = (...shape: number[]): Tensor =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
  const labels = tensor(new Int32Array(batch));
  const draw = { z: zeros(batch, settings.generator.latent), values: [labels] };
  const images = zeros(batch, 3, settings.size, settings.size);
  const assignments = new Map<Variable, Tensor>();
  const outputs = withBindings(
    assignments,
    () => Object.values(trainStep(model, { images, values: [labels], forD: draw, forG: draw })),
  );

  const known = new Map<unknown, Slot>();
  const slotOf = (owner: { size: number }): Slot => {
    const slot = known.get(owner) ?? { bytes: 4 * owner.size };
    known.set(owner, slot);
    return slot;
  };
  return lower({ name: preset, outputs, assignments }, {
    target: {
      cpu,
      images: true,
      limits: {
        maxBufferSize: 2 ** 31,
        maxTextureDimension2D: 16_384,
        maxComputeInvocationsPerWorkgroup: 256,
        maxComputeWorkgroupStorageSize: 32_768,
        maxComputeWorkgroupsPerDimension: 65_535,
        maxStorageBuffersPerShaderStage: MOST_BUFFERS,
      },
    },
    memory: {
      leaf: (node) => slotOf(node.attributes.variable ?? node),
      variable: (variable) => slotOf(variable),
      output: (node) => slotOf(node),
    },
    passes: allPasses,
  });
}

for (const [preset, batch] of [["acgan32", 32], ["acgan64", 16]] as const) {
  for (const cpu of [true, false]) {
    const adapter = cpu ? "a CPU" : "a GPU";
    Deno.test(`The arena of ${preset} on ${adapter} is within 1.15 of what is alive at once, and every kernel within its bindings`, () => {
      const lowered = lowerStep(preset, { batch, cpu });
      const arena = placementBytes(lowered.placement);
      const bound = livenessBound(lowered.dispatches);
      for (const { slots } of lowered.dispatches) {
        const images = slots.filter((slot) => slot instanceof ImageSlot).length;
        const texels = slots.filter((slot) => slot instanceof TexelSlot).length;
        assertLessOrEqual(slots.length - images - texels, MOST_BUFFERS);
        assertLessOrEqual(images + Math.min(texels, 1), MOST_TEXTURES);
      }
      console.log(
        `${lowered.dispatches.length} dispatches, ${(arena / 2 ** 20).toFixed(1)} MiB, ` +
          `${(arena / bound).toFixed(3)} of the bound`,
      );
      assertLessOrEqual(arena / bound, 1.15);
    });
  }
}

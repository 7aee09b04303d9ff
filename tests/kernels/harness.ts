// Runs what a launcher returns by itself, on memory of its own, filled with garbage where nothing was given, so
// that a kernel that reads what nobody wrote is found out: a buffer or a texture for each slot, and one texture for
// all that are texels.

import { assert } from "@std/assert";
import { hasPlaces, hasTexels, MOST_INSTANCES, quadsOf } from "../../engine/kernels/access.ts";
import type { Dispatch, KernelContext, Precision, Slot } from "../../engine/kernels/dispatch.ts";
import { IMAGE_WIDTH, ImageSlot } from "../../engine/kernels/image.ts";
import { TEXEL_WIDTH, TexelSlot } from "../../engine/kernels/texels.ts";

const garbage = 12345.678;
/** Texels between slots, and rows before images: places that are none of a kernel's business. */
const TEXEL_GAP = 13, IMAGE_GAP = 3;

/** A device, and buffers that live for one run. */
export class KernelHarness {
  readonly device: GPUDevice;
  readonly #errors: string[] = [];

  private constructor(device: GPUDevice) {
    this.device = device;
    device.addEventListener("uncapturederror", (event) => {
      this.#errors.push((event as GPUUncapturedErrorEvent).error.message);
    });
  }

  /** Opens a device of its own; throws where there is no adapter. */
  static async open(): Promise<KernelHarness> {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) throw new Error("No WebGPU adapter: install a driver to run the kernels' tests");
    const requiredFeatures = (["shader-f16"] as const).filter((name) => adapter.features.has(name));
    // The default is too little for the largest tiles.
    const { maxComputeWorkgroupStorageSize } = adapter.limits;
    const requiredLimits = { maxComputeWorkgroupStorageSize };
    return new KernelHarness(await adapter.requestDevice({ requiredFeatures, requiredLimits }));
  }

  /** What a launcher is told; `maxWorkgroups` lowers the grid's limit to see it folded. */
  context(
    variant: string,
    options: { cpu?: boolean; maxWorkgroups?: number; precision?: Precision } = {},
  ): KernelContext {
    const { limits } = this.device;
    return {
      cpu: options.cpu ?? true,
      images: true,
      variant,
      precision: options.precision,
      limits: {
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxComputeWorkgroupsPerDimension: options.maxWorkgroups ??
          limits.maxComputeWorkgroupsPerDimension,
        maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
        maxBufferSize: limits.maxStorageBufferBindingSize,
      },
      scratch: (bytes) => ({ bytes }),
    };
  }

  /** Runs the dispatches in order and returns what `out` then holds. */
  async run(
    dispatches: readonly Dispatch[],
    inputs: ReadonlyMap<Slot, Float32Array<ArrayBuffer>>,
    { out }: { out: Slot },
  ): Promise<Float32Array> {
    const { device } = this;
    const numbersOf = (slot: Slot): Float32Array<ArrayBuffer> => {
      const data = inputs.get(slot) ?? new Float32Array(slot.bytes / 4).fill(garbage);
      assert(
        data.byteLength === slot.bytes,
        `${data.byteLength} bytes for a slot of ${slot.bytes}`,
      );
      return data;
    };
    const buffers = new Map<Slot, GPUBuffer>();
    const bufferOf = (slot: Slot): GPUBuffer => {
      const known = buffers.get(slot);
      if (known) return known;
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = device.createBuffer({ size: slot.bytes, usage });
      device.queue.writeBuffer(buffer, 0, numbersOf(slot));
      buffers.set(slot, buffer);
      return buffer;
    };
    const images = new Map<ImageSlot, GPUTexture>();
    const imageOf = (slot: ImageSlot): GPUTexture => {
      const known = images.get(slot);
      if (known) return known;
      const numbers = 4 * IMAGE_WIDTH * (IMAGE_GAP + slot.rows);
      const texture = this.#texture(
        "rgba32float",
        IMAGE_WIDTH,
        new Float32Array(numbers).fill(garbage),
      );
      images.set(slot, texture);
      return texture;
    };
    const texelSlots = new Set(
      dispatches.flatMap(({ slots }) => slots.filter((slot) => slot instanceof TexelSlot)),
    );
    const begins = new Map<Slot, number>();
    let end = 0;
    for (const slot of texelSlots) {
      begins.set(slot, end += TEXEL_GAP);
      end += slot.bytes / 4;
    }
    const shared = new Float32Array(Math.ceil(end / TEXEL_WIDTH + 1) * TEXEL_WIDTH).fill(garbage);
    begins.forEach((begin, slot) => shared.set(numbersOf(slot), begin));
    const texels = this.#texture("r32float", TEXEL_WIDTH, shared);
    const beginOf = (slot: Slot): number =>
      begins.get(slot) ?? (slot instanceof ImageSlot ? IMAGE_GAP * IMAGE_WIDTH : 0);
    const told: GPUBuffer[] = [];
    const placesOf = (slots: readonly Slot[]): GPUBuffer => {
      const places = new Uint32Array(4 * MOST_INSTANCES * quadsOf(slots));
      places.set(slots.map(beginOf));
      const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
      const buffer = device.createBuffer({ size: places.byteLength, usage });
      device.queue.writeBuffer(buffer, 0, places);
      told.push(buffer);
      return buffer;
    };
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const dispatch of dispatches) {
      const module = device.createShaderModule({ code: dispatch.code });
      const pipeline = device.createComputePipeline({
        layout: "auto",
        compute: { module, entryPoint: "main" },
      });
      const { slots } = dispatch, { length } = slots;
      const entries: GPUBindGroupEntry[] = slots.flatMap((slot, binding) =>
        slot instanceof TexelSlot ? [] : [{
          binding,
          resource: slot instanceof ImageSlot
            ? imageOf(slot).createView()
            : { buffer: bufferOf(slot) },
        }]
      );
      if (hasTexels(slots)) entries.push({ binding: length, resource: texels.createView() });
      if (hasPlaces(slots)) {
        entries.push({ binding: length + 1, resource: { buffer: placesOf(slots) } });
      }
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
      );
      pass.dispatchWorkgroups(...dispatch.workgroups);
    }
    pass.end();
    const begin = begins.get(out);
    const staging = device.createBuffer({
      size: begin === undefined ? out.bytes : shared.byteLength,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    if (begin === undefined) {
      encoder.copyBufferToBuffer(bufferOf(out), 0, staging, 0, out.bytes);
    } else {
      encoder.copyTextureToBuffer(
        { texture: texels },
        { buffer: staging, bytesPerRow: 4 * TEXEL_WIDTH },
        [texels.width, texels.height],
      );
    }
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const read = new Float32Array(staging.getMappedRange().slice(0));
    const result = begin === undefined ? read : read.slice(begin, begin + out.bytes / 4);
    for (const memory of [...buffers.values(), ...images.values(), ...told, texels, staging]) {
      memory.destroy();
    }
    assert(this.#errors.length === 0, this.#errors.join("\n"));
    return result;
  }

  /** A texture that holds `data`, rows of `width` texels. */
  #texture(
    format: "r32float" | "rgba32float",
    width: number,
    data: Float32Array<ArrayBuffer>,
  ): GPUTexture {
    const bytesPerRow = width * (format === "r32float" ? 4 : 16);
    const size = [width, data.byteLength / bytesPerRow];
    const usage = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC |
      GPUTextureUsage.COPY_DST;
    const texture = this.device.createTexture({ size, format, usage });
    this.device.queue.writeTexture({ texture }, data, { bytesPerRow }, size);
    return texture;
  }

  close(): void {
    this.device.destroy();
  }
}

/** Numbers in [-1, 1) that are the same on every run. */
export function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

/**
 * Fails where a result is farther from the float64 reference than float32 sums of `terms` products
 * of numbers below 1 may be, `slack` times over.
 */
export function assertClose(
  actual: Float32Array,
  expected: Float64Array,
  { terms, what, slack = 1 }: { terms: number; what: string; slack?: number },
): void {
  assert(
    actual.length === expected.length,
    `${what}: ${actual.length} of ${expected.length} values`,
  );
  const tolerance = slack * (1e-6 * Math.sqrt(terms) + 1e-6);
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    assert(error <= tolerance, `${what}: element ${i} is ${actual[i]}, expected ${expected[i]}`);
  }
}

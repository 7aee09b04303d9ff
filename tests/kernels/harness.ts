// Runs what a launcher returns by itself, on buffers of its own: one for each slot, filled with garbage
// where nothing was given, so that a kernel that reads what nobody wrote is found out.

import { assert } from "@std/assert";
import type { Dispatch, KernelContext, Precision, Slot } from "../../engine/kernels/dispatch.ts";
import { IMAGE_WIDTH, ImageSlot } from "../../engine/kernels/image.ts";

const garbage = 12345.678;

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
    return new KernelHarness(await adapter.requestDevice({ requiredFeatures }));
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
    const buffers = new Map<Slot, GPUBuffer>();
    const bufferOf = (slot: Slot): GPUBuffer => {
      const known = buffers.get(slot);
      if (known) return known;
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = device.createBuffer({ size: slot.bytes, usage });
      const data = inputs.get(slot) ?? new Float32Array(slot.bytes / 4).fill(garbage);
      assert(
        data.byteLength === slot.bytes,
        `${data.byteLength} bytes for a slot of ${slot.bytes}`,
      );
      device.queue.writeBuffer(buffer, 0, data);
      buffers.set(slot, buffer);
      return buffer;
    };
    const images = new Map<ImageSlot, GPUTexture>();
    const imageOf = (slot: ImageSlot): GPUTexture => {
      const known = images.get(slot);
      if (known) return known;
      const size = [IMAGE_WIDTH, slot.rows];
      const usage = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST;
      const texture = device.createTexture({ size, format: "rgba32float", usage });
      const data = new Float32Array(slot.bytes / 4).fill(garbage);
      device.queue.writeTexture({ texture }, data, { bytesPerRow: 16 * IMAGE_WIDTH }, size);
      images.set(slot, texture);
      return texture;
    };
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const dispatch of dispatches) {
      const module = device.createShaderModule({ code: dispatch.code });
      const pipeline = device.createComputePipeline({
        layout: "auto",
        compute: { module, entryPoint: "main" },
      });
      const entries = dispatch.slots.map((slot, binding) => ({
        binding,
        resource: slot instanceof ImageSlot
          ? imageOf(slot).createView()
          : { buffer: bufferOf(slot) },
      }));
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
      );
      pass.dispatchWorkgroups(...dispatch.workgroups);
    }
    pass.end();
    const staging = device.createBuffer({
      size: out.bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    encoder.copyBufferToBuffer(bufferOf(out), 0, staging, 0, out.bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const result = new Float32Array(staging.getMappedRange().slice(0));
    for (const memory of [...buffers.values(), ...images.values(), staging]) memory.destroy();
    assert(this.#errors.length === 0, this.#errors.join("\n"));
    return result;
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

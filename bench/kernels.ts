// Times the kernels of the workloads' layers by themselves, in every form, on this adapter:
//
//   deno run bench/kernels.ts [filter] [--variant=image] [--each]
//
// Rates count the operations of the direct form; `first` is the first run, which compiles the shaders.
// `--each` also times every dispatch of a launch.

import {
  conv2d,
  type Conv2dGeometry,
  conv2dInputGrad,
  conv2dWeightGrad,
} from "../engine/kernels/conv2d.ts";
import type { Dispatch, KernelContext, Slot } from "../engine/kernels/dispatch.ts";
import { IMAGE_WIDTH, ImageSlot } from "../engine/kernels/image.ts";
import { matmul, type MatmulGeometry } from "../engine/kernels/matmul.ts";

interface Layer {
  readonly name: string;
  readonly launch: (ctx: KernelContext) => Dispatch[];
}

function convolution(name: string, channels: [number, number], shape: {
  batch: number;
  size: number;
  kernel: number;
  stride: number;
  padding: number;
}): Layer[] {
  const { batch, size, kernel, stride, padding } = shape;
  const output = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const g: Conv2dGeometry = {
    batch,
    inChannels: channels[0],
    outChannels: channels[1],
    inputSize: [size, size],
    outputSize: [output, output],
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [padding, padding],
    dilation: [1, 1],
    groups: 1,
  };
  const x = { bytes: 4 * batch * channels[0] * size ** 2 };
  const grad = { bytes: 4 * batch * channels[1] * output ** 2 };
  const weight = { bytes: 4 * channels[0] * channels[1] * kernel ** 2 };
  return [
    { name: `${name} forward`, launch: (ctx) => conv2d(ctx, g, { x, weight, out: grad }) },
    { name: `${name} dx`, launch: (ctx) => conv2dInputGrad(ctx, g, { grad, weight, out: x }) },
    { name: `${name} dw`, launch: (ctx) => conv2dWeightGrad(ctx, g, { x, grad, out: weight }) },
  ];
}

function product(
  name: string,
  sizes: Partial<MatmulGeometry> & { m: number; n: number; k: number },
): Layer {
  const g = { batch: 1, transposeA: false, transposeB: false, ...sizes };
  const a = { bytes: 4 * g.batch * g.m * g.k }, b = { bytes: 4 * g.batch * g.k * g.n };
  const out = { bytes: 4 * g.batch * g.m * g.n };
  return { name, launch: (ctx) => matmul(ctx, g, { a, b, out }) };
}

/** A convolution of the generator (3x3, padding 1). */
function generator(batch: number, channels: [number, number], size: number): Layer[] {
  const name = `b${batch} 3x3 ${channels.join("->")} at ${size}`;
  return convolution(name, channels, { batch, size, kernel: 3, stride: 1, padding: 1 });
}

/** A convolution of the discriminator (4x4, stride 2, padding 1). */
function discriminator(batch: number, channels: [number, number], size: number): Layer[] {
  const name = `b${batch} 4x4s2 ${channels.join("->")} from ${size}`;
  return convolution(name, channels, { batch, size, kernel: 4, stride: 2, padding: 1 });
}

const layers: Layer[] = [
  product("matmul 512", { m: 512, n: 512, k: 512 }),
  product("matmul 512 transposed b", { m: 512, n: 512, k: 512, transposeB: true }),
  product("linear 112->4096 forward", { m: 32, n: 4096, k: 112, transposeB: true }),
  product("linear 112->4096 dw", { m: 4096, n: 112, k: 32, transposeA: true }),
  product("linear 4096->13 forward", { m: 32, n: 13, k: 4096, transposeB: true }),
  product("linear 4096->13 dx", { m: 32, n: 4096, k: 13 }),
  product("linear 4096->13 dw", { m: 13, n: 4096, k: 32, transposeA: true }),
  ...generator(32, [256, 512], 4),
  ...generator(32, [128, 256], 8),
  ...generator(32, [64, 128], 16),
  ...generator(32, [32, 3], 32),
  ...discriminator(32, [3, 64], 32),
  ...discriminator(32, [64, 128], 16),
  ...discriminator(32, [128, 256], 8),
  ...generator(16, [512, 1024], 4),
  ...generator(16, [64, 128], 32),
  ...generator(16, [32, 3], 64),
  ...discriminator(16, [3, 64], 64),
  ...discriminator(16, [256, 512], 8),
];

const adapter = await navigator.gpu.requestAdapter();
if (!adapter) throw new Error("No WebGPU adapter");
const adapterName = adapter.info.description || adapter.info.device;
const device = await adapter.requestDevice({
  requiredLimits: {
    maxBufferSize: adapter.limits.maxBufferSize,
    maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    maxComputeWorkgroupStorageSize: adapter.limits.maxComputeWorkgroupStorageSize,
  },
});
device.addEventListener("uncapturederror", (event) => {
  console.error((event as GPUUncapturedErrorEvent).error.message);
});

/** Bound dispatches, that can be enqueued again and again. */
class Prepared {
  readonly #buffers = new Map<Slot, GPUBuffer>();
  readonly #images = new Map<ImageSlot, GPUTexture>();
  readonly #steps: { pipeline: GPUComputePipeline; group: GPUBindGroup; dispatch: Dispatch }[];

  constructor(dispatches: readonly Dispatch[]) {
    this.#steps = dispatches.map((dispatch) => {
      const module = device.createShaderModule({ code: dispatch.code });
      const pipeline = device.createComputePipeline({
        layout: "auto",
        compute: { module, entryPoint: "main" },
      });
      const entries = dispatch.slots.map((slot, binding) => ({
        binding,
        resource: slot instanceof ImageSlot
          ? this.#image(slot).createView()
          : { buffer: this.#buffer(slot) },
      }));
      const layout = pipeline.getBindGroupLayout(0);
      return { pipeline, group: device.createBindGroup({ layout, entries }), dispatch };
    });
  }

  #buffer(slot: Slot): GPUBuffer {
    let buffer = this.#buffers.get(slot);
    if (!buffer) {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
      buffer = device.createBuffer({ size: slot.bytes, usage });
      // Not zeros: denormals and zeros can run at another speed.
      device.queue.writeBuffer(buffer, 0, new Float32Array(slot.bytes / 4).fill(0.25));
      this.#buffers.set(slot, buffer);
    }
    return buffer;
  }

  #image(slot: ImageSlot): GPUTexture {
    let image = this.#images.get(slot);
    if (!image) {
      const usage = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST;
      const size = [IMAGE_WIDTH, slot.rows];
      image = device.createTexture({ size, format: "rgba32float", usage });
      const data = new Float32Array(slot.bytes / 4).fill(0.25);
      device.queue.writeTexture({ texture: image }, data, { bytesPerRow: 16 * IMAGE_WIDTH }, size);
      this.#images.set(slot, image);
    }
    return image;
  }

  /** Milliseconds of `times` runs, with what it costs to wait for them. */
  async time(times: number): Promise<number> {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < times; i++) {
      for (const { pipeline, group, dispatch } of this.#steps) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...dispatch.workgroups);
      }
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  }

  /** Milliseconds of one run: of many, less what waiting costs; the best of three. */
  async measure(): Promise<{ first: number; warm: number }> {
    const first = await this.time(1);
    const times = Math.max(1, Math.ceil(60 / Math.max(0.05, await this.time(1) - 10)));
    const waiting = await this.time(0);
    let warm = Infinity;
    for (let i = 0; i < 3; i++) warm = Math.min(warm, (await this.time(times) - waiting) / times);
    return { first, warm };
  }

  destroy(): void {
    for (const memory of [...this.#buffers.values(), ...this.#images.values()]) memory.destroy();
  }
}

const filter = Deno.args.find((arg) => !arg.startsWith("--")) ?? "";
const variant = Deno.args.find((arg) => arg.startsWith("--variant="))?.slice(10);
const each = Deno.args.includes("--each");
const context: KernelContext = {
  cpu: /llvmpipe|swiftshader/i.test(adapterName),
  variant,
  images: true,
  limits: device.limits,
  scratch: (bytes) => ({ bytes }),
};

async function report(name: string, dispatches: readonly Dispatch[]): Promise<void> {
  const prepared = new Prepared(dispatches);
  const { first, warm } = await prepared.measure();
  prepared.destroy();
  const flops = dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
  const rate = flops > 0 ? `${(flops / warm / 1e6).toFixed(1)} GFLOP/s` : "";
  console.log(
    name.padEnd(52),
    `first ${first.toFixed(0).padStart(5)} ms  warm ${warm.toFixed(2).padStart(7)} ms  ${rate}`,
  );
}

console.log(adapterName);
for (const { name, launch } of layers.filter((layer) => layer.name.includes(filter))) {
  const dispatches = launch(context);
  const main = dispatches.find((dispatch) => dispatch.flops > 0)!;
  await report(`${name} (${main.variant})`, dispatches);
  if (each) {
    for (const dispatch of dispatches) await report(`  ${dispatch.variant}`, [dispatch]);
  }
}
device.destroy();

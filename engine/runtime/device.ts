// The device: a WebGPU adapter opened with all it can do, its memory counted, its errors kept.

import { type AdapterDescription, describe } from "./adapter.ts";
import type { KernelLimits, Subgroups } from "../kernels/dispatch.ts";
import { IMAGE_WIDTH } from "../kernels/image.ts";
import { TEXEL_WIDTH } from "../kernels/texels.ts";
import { KernelVariants } from "../kernels/variant.ts";
import { requestWithSubgroups, subgroupsOf } from "./subgroups.ts";
import type { TypedArray } from "../dtype.ts";

/** Which adapter to open. */
export interface DeviceOptions {
  /** Passed on to `requestAdapter`. */
  readonly powerPreference?: "low-power" | "high-performance";
}

/** The limits of which we ask the adapter's own instead of the defaults. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxTextureDimension2D",
] as const;

const WANTED_FEATURES: readonly GPUFeatureName[] = ["timestamp-query", "shader-f16"];

/** Thrown where there is no WebGPU adapter to open. */
export class NoAdapterError extends Error {
  /** Tells it apart from other errors. */
  override readonly name = "NoAdapterError";
}

/** Thrown where the GPU went away, with all that lay on it. */
export class DeviceLostError extends Error {
  /** Tells it apart from other errors. */
  override readonly name = "DeviceLostError";
  /** What the driver says of it. */
  readonly reason: string;

  /** `reason` is what the driver says. */
  constructor(reason: string) {
    super(
      `The GPU was lost (${reason}), and all that lay on it. Open it again with Device.open(), ` +
        `and go on from the last checkpoint`,
    );
    this.reason = reason;
  }
}

/**
 * What a kernel is bound to: memory that it may read and write, an image that it reads, or writes, texels that
 * it may read and write, or numbers that all threads read, at an offset that each dispatch tells; or nothing, where
 * a number of binding is left out. Of memory and numbers it is said how many bytes there are at least.
 */
export type BindingKind =
  | `memory ${number}`
  | "image read"
  | "image write"
  | "texels"
  | `uniform ${number}`
  | "none";

/** What pipelines and bind groups of the same kinds of bindings share. */
interface Layout {
  readonly bindings: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

const TEXTURES = {
  image: { format: "rgba32float", width: IMAGE_WIDTH, texelBytes: 16 },
  texels: { format: "r32float", width: TEXEL_WIDTH, texelBytes: 4 },
} as const;

/** Kinds of textures: for images, and for texels of a number each. */
export type TextureKind = "image" | "texels";

/** Memory of a device that is in use now. */
export interface DeviceMemory {
  /** Buffers and images that are alive. */
  readonly buffers: number;
  /** Their bytes. */
  readonly bytes: number;
}

/** What a device has compiled so far. */
export interface Compilations {
  /** Pipelines: one for each different shader. */
  readonly pipelines: number;
  /** Milliseconds that making them took JavaScript; drivers may go on when a pipeline first runs. */
  readonly ms: number;
}

let defaultDevice: Device | undefined;

/**
 * An opened WebGPU device. The first one opened serves all computations that name none, until it fails
 * or is destroyed: then the next one opened takes its place.
 */
export class Device {
  /** The adapter, for people. */
  readonly adapter: AdapterDescription;
  /** What kernels and buffers may ask for. */
  readonly limits: KernelLimits & { readonly maxTextureDimension2D: number };
  /** The optional features that were granted. */
  readonly features: ReadonlySet<string>;
  /** Whether kernels can read storage textures. */
  readonly images: boolean;
  /** How kernels use subgroups, where they can. */
  readonly subgroups: Subgroups | undefined;
  /** Where work is submitted. */
  readonly queue: GPUQueue;
  /** The variants that kernels come in here; what is not named goes by the static guess. */
  readonly variants: KernelVariants = new KernelVariants();
  readonly #gpu: GPUDevice;
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly #layouts = new Map<string, Layout>();
  readonly #watched = new Set<Promise<void>>();
  #failure: Error | undefined;
  /** What an {@linkcode attempt} that is going on has to wait for. */
  #attempt: Promise<Error | undefined>[] | undefined;
  #buffers = 0;
  #bytes = 0;
  #compiling = 0;

  private constructor(
    gpu: GPUDevice,
    adapter: AdapterDescription,
    subgroups: Subgroups | undefined,
  ) {
    this.#gpu = gpu;
    this.subgroups = subgroups;
    this.adapter = adapter;
    this.queue = gpu.queue;
    this.features = new Set(gpu.features as unknown as Iterable<string>);
    const { wgslLanguageFeatures } = navigator.gpu as { wgslLanguageFeatures?: Set<string> };
    this.images = wgslLanguageFeatures?.has("readonly_and_readwrite_storage_textures") ?? false;
    const limits = gpu.limits;
    this.limits = {
      maxBufferSize: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
      maxTextureDimension2D: limits.maxTextureDimension2D,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    };
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#fail(new Error(`WebGPU: ${(event as GPUUncapturedErrorEvent).error.message}`));
    });
    gpu.lost.then(({ message }) => this.#fail(new DeviceLostError(message)));
  }

  /**
   * Opens an adapter with the largest limits it offers.
   *
   * @throws {NoAdapterError} where there is none.
   */
  static async open(options: DeviceOptions = {}): Promise<Device> {
    const adapter = await globalThis.navigator?.gpu?.requestAdapter({
      powerPreference: options.powerPreference ?? "high-performance",
    });
    if (!adapter) {
      throw new NoAdapterError("No WebGPU adapter was found");
    }
    const offered = adapter.limits as unknown as Record<string, number>;
    const gpu = await requestWithSubgroups(adapter, {
      requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
      requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, offered[name]])),
    });
    const subgroups = await subgroupsOf(gpu);
    const device = new Device(gpu, describe(adapter.info), subgroups);
    if (defaultDevice === undefined || defaultDevice.failed) defaultDevice = device;
    return device;
  }

  /** The device that serves computations that name none. @throws {Error} before any was opened. */
  static get default(): Device {
    if (defaultDevice === undefined) {
      throw new Error("No device is open: await Device.open() first");
    }
    return defaultDevice;
  }

  /** Buffers alive now and their bytes. */
  get memory(): DeviceMemory {
    return { buffers: this.#buffers, bytes: this.#bytes };
  }

  /** Pipelines made, and how long that took. */
  get compiled(): Compilations {
    return { pipelines: this.#pipelines.size, ms: this.#compiling };
  }

  /**
   * Lets the first error that the device reported surface.
   *
   * @throws that error, if there was one; the same one from then on.
   */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Whether the device was lost, destroyed or misused, so that nothing runs on it any more. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Storage that shaders and copies can read and write. Zeros at first. Where memory runs out, the next
   * {@linkcode Device.check} says so.
   *
   * @param options.purpose what it is for, in words that follow "for".
   * @throws {RangeError} where the adapter has no buffers of that size.
   */
  createBuffer(
    bytes: number,
    options: { purpose: string; usage?: GPUBufferUsageFlags },
  ): GPUBuffer {
    this.check();
    const { purpose, usage = STORAGE } = options;
    const size = Math.max(4, Math.ceil(bytes / 4) * 4),
      wanted = `${megabytes(size)} for ${purpose}`;
    const largest = usage & BINDABLE ? this.limits.maxBufferSize : this.#gpu.limits.maxBufferSize;
    if (size > largest) {
      throw new RangeError(
        `Cannot allocate ${wanted}: a buffer of ${this.adapter.name} holds at most ` +
          `${megabytes(largest)}. ${LOWER}`,
      );
    }
    return this.#allocate(size, {
      wanted,
      make: () => this.#gpu.createBuffer({ size, usage, label: purpose }),
    });
  }

  /** Gives a buffer's memory back; the garbage collector would not. */
  destroyBuffer(buffer: GPUBuffer): void {
    this.#buffers--;
    this.#bytes -= buffer.size;
    buffer.destroy();
  }

  /**
   * A texture for kernels alone: an image has {@linkcode IMAGE_WIDTH} texels of four float32 in a row, texels
   * are {@linkcode TEXEL_WIDTH} of one.
   *
   * @param options.purpose what it is for, in words that follow "for".
   * @throws {RangeError} where the adapter has no textures of that height.
   */
  createTexture(kind: TextureKind, options: { rows: number; purpose: string }): GPUTexture {
    this.check();
    const { rows, purpose: label } = options, most = this.limits.maxTextureDimension2D;
    const { format, width, texelBytes } = TEXTURES[kind];
    const bytesOf = (rows: number): number => texelBytes * width * rows;
    const wanted = `${megabytes(bytesOf(rows))} for ${label}`;
    if (rows > most) {
      throw new RangeError(
        `Cannot allocate ${wanted}: a texture of ${this.adapter.name} holds at most ` +
          `${megabytes(bytesOf(most))}. ${LOWER}`,
      );
    }
    const size = [width, rows], usage = STORAGE_BINDING;
    return this.#allocate(bytesOf(rows), {
      wanted,
      make: () => this.#gpu.createTexture({ size, format, usage, label }),
    });
  }

  /** Gives a texture's memory back. */
  destroyTexture({ texture, kind }: { texture: GPUTexture; kind: TextureKind }): void {
    this.#buffers--;
    this.#bytes -= TEXTURES[kind].texelBytes * texture.width * texture.height;
    texture.destroy();
  }

  /** Counts memory that is made now, and fails later where there is none left for it. */
  #allocate<T>(bytes: number, { wanted, make }: { wanted: string; make: () => T }): T {
    this.#gpu.pushErrorScope("out-of-memory");
    const made = make();
    const beside = this.#bytes;
    this.#judge(() =>
      new RangeError(
        `Cannot allocate ${wanted} on ${this.adapter.name}: its memory is used up, ` +
          `${megabytes(beside)} by kao. ${LOWER}`,
      )
    );
    this.#buffers++;
    this.#bytes += bytes;
    return made;
  }

  /** Writes host numbers into a buffer before the work that is submitted next. */
  upload(buffer: GPUBuffer, data: TypedArray): void {
    this.check();
    const whole = data.byteLength % 4 === 0 ? data : padded(data);
    this.queue.writeBuffer(buffer, 0, whole.buffer, whole.byteOffset, whole.byteLength);
  }

  /** A pipeline of a shader that is bound to `kinds`, in order; made once for each different shader. */
  pipeline(
    code: string,
    options: { label: string; kinds: readonly BindingKind[] },
  ): GPUComputePipeline {
    this.check();
    const key = `${options.kinds}\n${code}`;
    let pipeline = this.#pipelines.get(key);
    if (pipeline === undefined) {
      const start = performance.now();
      const report = this.#validate(options.label);
      const { pipeline: layout } = this.#layout(options.kinds);
      const module = this.#gpu.createShaderModule({ code, label: options.label });
      pipeline = this.#gpu.createComputePipeline({
        layout,
        label: options.label,
        compute: { module, entryPoint: "main" },
      });
      this.#pipelines.set(key, pipeline);
      report().then((error) => error && this.#pipelines.delete(key));
      this.#compiling += performance.now() - start;
    }
    return pipeline;
  }

  /** Binds buffer ranges and textures, which are of `kinds`, in order to group 0 of the kernel `label`. */
  bindGroup(
    resources: readonly (GPUBufferBinding | GPUTextureView | undefined)[],
    options: { label: string; kinds: readonly BindingKind[] },
  ): GPUBindGroup {
    const report = this.#validate(options.label);
    const group = this.#gpu.createBindGroup({
      label: options.label,
      layout: this.#layout(options.kinds).bindings,
      entries: resources.flatMap((resource, binding) => resource ? [{ binding, resource }] : []),
    });
    report();
    return group;
  }

  /** Time stamps of the device, two for each of `count` passes. */
  createTimestamps(count: number): GPUQuerySet {
    if (!this.features.has("timestamp-query")) {
      throw new Error(`Cannot time kernels: ${this.adapter.name} has no timestamp-query`);
    }
    return this.#gpu.createQuerySet({ type: "timestamp", count: 2 * count });
  }

  /** Starts recording commands. */
  encoder(): GPUCommandEncoder {
    this.check();
    return this.#gpu.createCommandEncoder();
  }

  /**
   * Does what may turn out to be invalid here, or to need more memory than there is: the promise fails
   * then, and the device goes on.
   */
  async attempt<R>(action: () => R): Promise<R> {
    this.check();
    const verdicts: Promise<Error | undefined>[] = [];
    this.#attempt = verdicts;
    this.#gpu.pushErrorScope("out-of-memory");
    this.#gpu.pushErrorScope("validation");
    const end = async (): Promise<Error | undefined> => {
      for (let scope = 0; scope < 2; scope++) this.#judge(({ message }) => new Error(message));
      this.#attempt = undefined;
      return (await Promise.all(verdicts)).find((error) => error !== undefined);
    };
    let result: R;
    try {
      result = action();
    } catch (error) {
      await end();
      throw error;
    }
    const error = await end();
    if (error) throw error;
    return result;
  }

  /** Waits until all submitted work is done. */
  async idle(): Promise<void> {
    await this.queue.onSubmittedWorkDone();
    await this.settled();
  }

  /** Lets the device fail where `work` does. */
  watch(work: Promise<void>): void {
    const watched = work.catch((error) => this.#fail(error)).finally(() =>
      this.#watched.delete(watched)
    );
    this.#watched.add(watched);
  }

  /** Waits for what is watched. @throws the first error that the device reported, if any. */
  async settled(): Promise<void> {
    await Promise.all(this.#watched);
    this.check();
  }

  /** Gives the device back. Nothing made on it can be used afterwards. */
  destroy(): void {
    this.#fail(new Error("The device was destroyed: open one with Device.open()"));
    this.#gpu.destroy();
  }

  /** Collects validation errors until the function that it gives is called, in the name of a kernel. */
  #validate(label: string): () => Promise<Error | undefined> {
    this.#gpu.pushErrorScope("validation");
    return () => this.#judge(({ message }) => new Error(`Kernel ${label} is invalid: ${message}`));
  }

  /** Closes an error scope. What it caught fails the attempt that is going on, or else the device. */
  #judge(describe: (error: GPUError) => Error): Promise<Error | undefined> {
    const attempt = this.#attempt;
    const verdict = this.#gpu.popErrorScope().then((error) => {
      if (!error) return undefined;
      const described = describe(error);
      if (!attempt) this.#fail(described);
      return described;
    });
    attempt?.push(verdict);
    return verdict;
  }

  #layout(kinds: readonly BindingKind[]): Layout {
    const key = kinds.join();
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      const bindings = this.#gpu.createBindGroupLayout({
        entries: kinds.flatMap((kind, binding) =>
          kind === "none"
            ? []
            : [{ binding, visibility: GPUShaderStage.COMPUTE, ...bindingLayout(kind) }]
        ),
      });
      const pipeline = this.#gpu.createPipelineLayout({ bindGroupLayouts: [bindings] });
      layout = { bindings, pipeline };
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }
}

// STORAGE | COPY_SRC | COPY_DST, in numbers because the constants are missing where WebGPU is.
const BINDABLE = 0x80;
const STORAGE = BINDABLE | 0x4 | 0x8;

/** Of textures. */
const STORAGE_BINDING = 0x8;

/**
 * What layouts say of a kind of binding. Sizes that they tell are not checked again at each dispatch; and wgpu 29 would
 * check them by what the pipeline before needs, where that has the same layout.
 */
function bindingLayout(
  kind: Exclude<BindingKind, "none">,
): Pick<GPUBindGroupLayoutEntry, "buffer" | "storageTexture"> {
  switch (kind) {
    case "image read":
      return { storageTexture: { access: "read-only", format: TEXTURES.image.format } };
    case "image write":
      return { storageTexture: { access: "write-only", format: TEXTURES.image.format } };
    case "texels":
      return { storageTexture: { access: "read-write", format: TEXTURES.texels.format } };
  }
  const [type, bytes] = kind.split(" "), minBindingSize = Number(bytes);
  return type === "memory"
    ? { buffer: { type: "storage", minBindingSize } }
    : { buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize } };
}

/** UNIFORM | COPY_DST: numbers that all threads of a kernel read. */
export const UNIFORM = 0x40 | 0x8;
/** MAP_READ | COPY_DST: where results land to be read. */
export const READBACK = 0x1 | 0x8;
/** QUERY_RESOLVE | COPY_SRC: where time stamps land first. */
export const TIMESTAMPS = 0x200 | 0x4;

const LOWER = "Lower the batch, the size of the pictures, or the widths of the layers";

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function padded(data: TypedArray): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return bytes;
}

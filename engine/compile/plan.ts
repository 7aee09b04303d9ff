// A plan: a flat list of pipelines, bindings and grids over memory that is already there. Running it
// costs one pass and one submit, whatever it computes.

import { byteLength, formatShape, type TypedArray } from "../dtype.ts";
import type { Dispatch, Slot } from "../kernels/dispatch.ts";
import type { LeafOp } from "../op.ts";
import { constantOp, type Tensor } from "../tensor.ts";
import { type Variable, variableOp } from "../variable.ts";
import { ImageSlot } from "../kernels/image.ts";
import type { BindingKind, Device } from "../runtime/device.ts";
import { timeApart, Timer, type Timing, waitsInCall } from "../runtime/timer.ts";
import { debugFlags } from "../debug.ts";
import { Audit, type Place } from "./audit.ts";
import { lower, type Program, type Target } from "./lower.ts";
import { placementBytes } from "./memory.ts";
import { allPasses, noPasses, type Passes } from "./passes.ts";
import { reachable } from "./simplify.ts";

/** Memory that outlives a run. */
class BufferSlot implements Slot {
  constructor(readonly buffer: GPUBuffer, readonly bytes: number) {}
}

/** A result of a compiled function: numbers that lie in a buffer. */
export const resultOp: LeafOp = { name: "result", kind: "leaf" };

/** Where the numbers of a compiled function's result lie. @throws where that is on another device. */
export function resultBuffer(result: Tensor, device: Device): GPUBuffer {
  if (result.attributes.device === device) return result.attributes.buffer;
  throw new TypeError(`Cannot use ${result} on this device: it lies on another one`);
}

interface Command {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** A program on a device, ready to run. */
export class Plan {
  /** Buffers of the outputs, in order. */
  readonly outputs: readonly GPUBuffer[];
  readonly dispatches: readonly Dispatch[];
  /** Bytes of the arena, and of the images. */
  readonly arenaBytes: number;
  readonly #device: Device;
  readonly #commands: readonly Command[];
  readonly #audit: Audit | undefined;
  readonly #owned: GPUBuffer[] = [];
  readonly #images: GPUTexture[] = [];

  /**
   * @param options.bound buffers of leaves that the caller fills, such as arguments.
   * @param options.passes improvements to leave out.
   * @param options.choose names variants of kernels; the device's choices where left out.
   * @param options.variant forces a variant of kernels that come in several.
   * @param options.target what to lower for, where that is not what the device says of itself.
   * @param options.audit look for values that are not finite after each run, and let the device fail
   * where there are any. Leaves out all improvements.
   * @throws {RangeError} where the device has no buffers of the sizes that are needed.
   */
  constructor(
    device: Device,
    program: Program,
    options: {
      bound?: ReadonlyMap<Tensor, GPUBuffer>;
      passes?: Partial<Passes>;
      choose?: Target["choose"];
      variant?: string;
      target?: Partial<Target>;
      audit?: boolean;
    } = {},
  ) {
    const own = (bytes: number, what: string): GPUBuffer => {
      const buffer = device.createBuffer(bytes, { purpose: `${what} of plan ${program.name}` });
      this.#owned.push(buffer);
      return buffer;
    };
    const ownImage = (rows: number): GPUTexture => {
      const image = device.createImage(rows, { purpose: `operands of plan ${program.name}` });
      this.#images.push(image);
      return image;
    };
    this.#device = device;
    try {
      const { bound = new Map(), variant, audit = debugFlags.has("nan") } = options;
      const passes = audit ? noPasses : { ...allPasses, ...options.passes };
      const target = {
        ...targetOf(device),
        variant,
        ...(options.choose && { choose: options.choose }),
        ...options.target,
      };
      if (target.precision === "f16") checkHalf(device, "operands in f16");
      const built = build(device, program, { target, bound, own, ownImage, passes });
      this.outputs = built.outputs;
      this.dispatches = built.dispatches;
      this.arenaBytes = built.arenaBytes;
      this.#commands = built.commands;
      if (audit) this.#audit = new Audit(device, { name: program.name, ...built }, own);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Enqueues the work, after what `before` records; nothing is waited for. */
  run(before?: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.#device.encoder();
    before?.(encoder);
    this.#audit?.before(encoder);
    const pass = encoder.beginComputePass();
    for (const command of this.#commands) dispatch(pass, command);
    pass.end();
    this.#audit?.after(encoder);
    this.#device.queue.submit([encoder.finish()]);
    if (this.#audit) this.#device.watch(this.#audit.verdict());
  }

  /** Runs once with a pass for each dispatch, and measures them. */
  async time(): Promise<Timing> {
    if (this.#device.adapter.cpu && waitsInCall) {
      const { length } = this.#commands;
      return await timeApart(
        this.#device,
        length,
        (pass, at) => dispatch(pass, this.#commands[at]),
      );
    }
    const timer = new Timer(this.#device, this.#commands.length);
    const encoder = this.#device.encoder();
    timer.record(encoder, (pass, at) => dispatch(pass, this.#commands[at]));
    return await timer.run(encoder);
  }

  /**
   * Runs `repeats` times in one pass, or a `share` of each grid, which leaves wrong results, and measures
   * it, in seconds: by this machine's clock with the wait for it, and by the device's where it has one.
   */
  async measure(options: { repeats?: number; share?: number } = {}): Promise<
    { wall: number; device?: number }
  > {
    const { repeats = 1, share = 1 } = options;
    const commands = this.#commands.map((command) => part(command, share));
    const record = (pass: GPUComputePassEncoder) => {
      for (let i = 0; i < repeats; i++) commands.forEach((command) => dispatch(pass, command));
    };
    const encoder = this.#device.encoder();
    if (this.#device.features.has("timestamp-query")) {
      const timer = new Timer(this.#device, 1);
      timer.record(encoder, record);
      const { passes: [length], wall } = await timer.run(encoder);
      return { wall: wall / 1e9, device: length / 1e9 };
    }
    const pass = encoder.beginComputePass();
    record(pass);
    pass.end();
    const begin = performance.now();
    this.#device.queue.submit([encoder.finish()]);
    await this.#device.idle();
    return { wall: (performance.now() - begin) / 1e3 };
  }

  /** Frees the plan's memory. Variables are not the plan's. */
  destroy(): void {
    this.#owned.splice(0).forEach((buffer) => this.#device.destroyBuffer(buffer));
    this.#images.splice(0).forEach((image) => this.#device.destroyImage(image));
  }
}

/** What programs that are to run on a device are lowered for. */
export function targetOf(device: Device): Target {
  return {
    cpu: device.adapter.cpu,
    images: device.images,
    limits: device.limits,
    // On a CPU adapter, a subgroup is a whole workgroup, and memory of the workgroup as near.
    subgroups: device.adapter.cpu ? undefined : device.subgroups,
    choose: (family, shape) => device.variants.get(family, shape),
  };
}

/** What a plan consists of. */
interface Built {
  readonly outputs: readonly GPUBuffer[];
  readonly dispatches: readonly Dispatch[];
  readonly arenaBytes: number;
  readonly commands: readonly Command[];
  /** Leaves, and values in the order in which they are computed. */
  readonly given: readonly Place[];
  readonly computed: readonly Place[];
}

/** Lowers a program, and makes what the device needs to run it. */
function build(
  device: Device,
  program: Program,
  options: {
    target: Target;
    bound: ReadonlyMap<Tensor, GPUBuffer>;
    /** Makes a buffer that lives as long as the plan. */
    own: (bytes: number, what: string) => GPUBuffer;
    ownImage: (rows: number) => GPUTexture;
    passes: Passes;
  },
): Built {
  const { target, bound, own, ownImage, passes } = options;
  checkTypes(device, [...program.outputs, ...program.assignments.values()]);
  // One slot a buffer, however many tensors lie in it: kernels bind each slot once.
  const fixed = new Map<GPUBuffer, BufferSlot>();
  const slotOf = (buffer: GPUBuffer, { size, dtype }: Tensor | Variable): BufferSlot => {
    const slot = fixed.get(buffer) ?? new BufferSlot(buffer, byteLength(size, dtype));
    fixed.set(buffer, slot);
    return slot;
  };
  const { outputs, leaves, computed, slots, dispatches, placement } = lower(program, {
    target,
    memory: {
      leaf: (node) => slotOf(bound.get(node) ?? leafBuffer(device, node, own), node),
      variable: (variable) => slotOf(variable.bufferOn(device), variable),
      output: (node) => {
        const bytes = byteLength(node.size, node.dtype);
        return slotOf(own(bytes, `result ${formatShape(node.shape)}`), node);
      },
    },
    passes,
  });

  const { ranges, arenas, images, textures } = placement;
  const buffers = arenas.map((bytes) => own(bytes, "intermediate values"));
  const views = textures.map((rows) => ownImage(rows).createView());
  const bindingOf = (slot: Slot): GPUBufferBinding & { buffer: GPUBuffer } => {
    if (slot instanceof BufferSlot) return { buffer: slot.buffer, size: slot.bytes };
    const { arena, offset } = ranges.get(slot)!;
    return { buffer: buffers[arena], offset, size: Math.max(4, slot.bytes) };
  };
  const commands = dispatches.map((dispatch, at) => {
    const label =
      `${program.name}#${at} ${dispatch.kernel} [${dispatch.variant}] ${dispatch.shape}`;
    const kinds = bindingKinds(dispatch);
    const resources = dispatch.slots.map((slot) =>
      slot instanceof ImageSlot ? views[images.get(slot)!] : bindingOf(slot)
    );
    return {
      pipeline: device.pipeline(dispatch.code, { label, kinds }),
      bindings: device.bindGroup(resources, { label, kinds }),
      workgroups: dispatch.workgroups,
    };
  });
  const placeOf = (node: Tensor): Place => ({ node, binding: bindingOf(slots.get(node)!) });
  return {
    outputs: outputs.map((node) => bindingOf(slots.get(node)!).buffer),
    dispatches,
    arenaBytes: placementBytes(placement),
    commands,
    given: leaves.map(placeOf),
    computed: computed.map(placeOf),
  };
}

function bindingKinds({ slots, writes = [] }: Dispatch): BindingKind[] {
  return slots.map((slot) =>
    slot instanceof ImageSlot ? writes.includes(slot) ? "image write" : "image read" : "memory"
  );
}

function dispatch(pass: GPUComputePassEncoder, command: Command): void {
  pass.setPipeline(command.pipeline);
  pass.setBindGroup(0, command.bindings);
  pass.dispatchWorkgroups(...command.workgroups);
}

/** The first `share` of a command's work, by the longest side of its grid. */
function part(command: Command, share: number): Command {
  const [x, y, z] = command.workgroups, longest = Math.max(x, y, z);
  const cut = (side: number): number => side === longest ? Math.ceil(side * share) : side;
  return { ...command, workgroups: [cut(x), cut(y), cut(z)] };
}

function leafBuffer(
  device: Device,
  leaf: Tensor,
  own: (bytes: number, what: string) => GPUBuffer,
): GPUBuffer {
  if (leaf.op === variableOp) return leaf.attributes.variable.bufferOn(device);
  if (leaf.op === constantOp) {
    const data: TypedArray = leaf.attributes.data;
    const buffer = own(byteLength(leaf.size, leaf.dtype), `constant ${formatShape(leaf.shape)}`);
    device.upload(buffer, data);
    return buffer;
  }
  if (leaf.op === resultOp) return resultBuffer(leaf, device);
  throw new Error(`Cannot compute from ${leaf}: it is an argument of another compiled function`);
}

/** @throws {TypeError} where the device's shaders lack a type. */
function checkTypes(device: Device, roots: readonly Tensor[]): void {
  const half = reachable(roots).find((node) => node.dtype === "f16");
  if (half !== undefined) checkHalf(device, half);
}

function checkHalf(device: Device, what: Tensor | string): void {
  if (device.features.has("shader-f16")) return;
  throw new TypeError(
    `Cannot compute with ${what}: ${device.adapter.name} lacks shader-f16. Use f32`,
  );
}

// A plan: a flat list of pipelines, bindings and grids over memory that is already there. Running it
// costs one pass and one submit, whatever it computes.

import { byteLength, formatShape, type TypedArray } from "../dtype.ts";
import { allSlots, type Dispatch } from "../kernels/dispatch.ts";
import type { LeafOp } from "../op.ts";
import { constantOp, type Tensor } from "../tensor.ts";
import { type Variable, variableOp } from "../variable.ts";
import type { Device, TextureKind } from "../runtime/device.ts";
import { timeApart, Timer, type Timing, waitsInCall } from "../runtime/timer.ts";
import { debugFlags } from "../debug.ts";
import { Audit, type Place } from "./audit.ts";
import { KeptState } from "./kept_state.ts";
import { lower, type Program, type Target } from "./lower.ts";
import { keptBytes, placementBytes } from "./memory.ts";
import { allPasses, noPasses, type Passes } from "./passes.ts";
import { type Bound, BufferSlot, type Owner, Resources } from "./resources.ts";
import { reachable } from "./simplify.ts";

/** A result of a compiled function: numbers that lie in a buffer. */
export const resultOp: LeafOp = { name: "result", kind: "leaf" };

/** Where the numbers of a compiled function's result lie. @throws where that is on another device. */
export function resultBuffer(result: Tensor, device: Device): GPUBuffer {
  if (result.attributes.device === device) return result.attributes.buffer;
  throw new TypeError(`Cannot use ${result} on this device: it lies on another one`);
}

interface Command extends Bound {
  readonly pipeline: GPUComputePipeline;
  readonly workgroups: readonly [number, number, number];
}

/** A program on a device, ready to run. */
export class Plan {
  /** Buffers of the outputs, in order. */
  readonly outputs: readonly GPUBuffer[];
  readonly dispatches: readonly Dispatch[];
  /** Bytes of the arena, and of the images. */
  readonly arenaBytes: number;
  /** Bytes of it that hold from run to run what variables alone decide. */
  readonly keptBytes: number;
  readonly #device: Device;
  readonly #commands: readonly Command[];
  /** Those that run always: the others, which come first, have to only where variables have changed. */
  readonly #always: readonly Command[];
  readonly #kept: KeptState;
  readonly #assigned: readonly Variable[];
  readonly #audit: Audit | undefined;
  readonly #buffers: GPUBuffer[] = [];
  readonly #textures: { texture: GPUTexture; kind: TextureKind }[] = [];

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
    const owner: Owner = {
      buffer: (bytes, what, usage) => {
        const purpose = `${what} of plan ${program.name}`;
        const buffer = device.createBuffer(bytes, { purpose, usage });
        this.#buffers.push(buffer);
        return buffer;
      },
      texture: (kind, rows, what) => {
        const purpose = `${what} of plan ${program.name}`;
        const texture = device.createTexture(kind, { rows, purpose });
        this.#textures.push({ texture, kind });
        return texture;
      },
      upload: (buffer, data) => device.upload(buffer, data),
      bind: (resources, options) => device.bindGroup(resources, options),
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
      const built = build(device, program, { target, bound, owner, passes });
      this.outputs = built.outputs;
      this.dispatches = built.dispatches;
      this.arenaBytes = built.arenaBytes;
      this.keptBytes = keptBytes(built.dispatches);
      this.#commands = built.commands;
      this.#always = built.commands.filter((_, at) => !built.dispatches[at].constant);
      this.#kept = new KeptState(built.decisive);
      this.#assigned = [...program.assignments.keys()];
      if (audit) {
        const { leaves, computed, placeOf } = built;
        this.#audit = new Audit(device, {
          name: program.name,
          given: leaves.map(placeOf),
          computed: computed.map(placeOf),
        }, owner.buffer);
      }
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
    for (const command of this.#kept.isCurrent ? this.#always : this.#commands) {
      dispatch(pass, command);
    }
    pass.end();
    this.#audit?.after(encoder);
    this.#device.queue.submit([encoder.finish()]);
    this.#wrote();
    this.#kept.update();
    if (this.#audit) this.#device.watch(this.#audit.verdict());
  }

  /** Runs once with a pass for each dispatch, those that need not run included, and measures them. */
  async time(): Promise<Timing> {
    this.#wrote();
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
   * Runs all dispatches `repeats` times in one pass, or a `share` of each grid, which leaves wrong results, and
   * measures it, in seconds: by this machine's clock with the wait for it, and by the device's where it has one.
   */
  async measure(options: { repeats?: number; share?: number } = {}): Promise<
    { wall: number; device?: number }
  > {
    const { repeats = 1, share = 1 } = options;
    this.#wrote();
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

  /** Notes that the variables, and what is kept, may not be what they were. */
  #wrote(): void {
    for (const variable of this.#assigned) variable.touch();
    this.#kept.forget();
  }

  /** Frees the plan's memory. Variables are not the plan's. */
  destroy(): void {
    this.#buffers.splice(0).forEach((buffer) => this.#device.destroyBuffer(buffer));
    this.#textures.splice(0).forEach((texture) => this.#device.destroyTexture(texture));
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
  readonly leaves: readonly Tensor[];
  /** In the order in which they are computed. */
  readonly computed: readonly Tensor[];
  /** Where a value lies, if that is in a buffer. */
  readonly placeOf: (node: Tensor) => Place;
  /** The variables that decide what is kept. */
  readonly decisive: readonly Variable[];
}

/** Lowers a program, and makes what the device needs to run it. */
function build(
  device: Device,
  program: Program,
  options: {
    target: Target;
    bound: ReadonlyMap<Tensor, GPUBuffer>;
    owner: Owner;
    passes: Passes;
  },
): Built {
  const { target, bound, owner, passes } = options;
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
      leaf: (node) => slotOf(bound.get(node) ?? leafBuffer(device, node, owner), node),
      variable: (variable) => slotOf(variable.bufferOn(device), variable),
      output: (node) => {
        const bytes = byteLength(node.size, node.dtype);
        return slotOf(owner.buffer(bytes, `result ${formatShape(node.shape)}`), node);
      },
    },
    passes,
  });

  const memory = new Resources(dispatches, placement, owner);
  const labels = dispatches.map(({ kernel, variant, shape }, at) =>
    `${program.name}#${at} ${kernel} [${variant}] ${shape}`
  );
  // All pipelines first: bind groups, which each replay goes through, lie closer together in memory then.
  const pipelines = dispatches.map(({ code }, at) =>
    device.pipeline(code, { label: labels[at], kinds: memory.kinds(at) })
  );
  const commands = dispatches.map(({ workgroups }, at) => ({
    pipeline: pipelines[at],
    ...memory.bind(at, labels[at]),
    workgroups,
  }));
  const placeOf = (node: Tensor): Place => ({ node, binding: memory.range(slots.get(node)!) });
  const read = new Set(dispatches.filter(({ constant }) => constant).flatMap(allSlots));
  const decisive = leaves.filter((node) => node.op === variableOp && read.has(slots.get(node)!))
    .map((node): Variable => node.attributes.variable);
  return {
    outputs: outputs.map((node) => memory.range(slots.get(node)!).buffer),
    dispatches,
    arenaBytes: placementBytes(placement),
    ...{ commands, leaves, computed, placeOf, decisive },
  };
}

/** Records a command. It is called so often that taking arrays apart would tell. */
function dispatch(
  pass: GPUComputePassEncoder,
  { pipeline, bindings, place, workgroups }: Command,
): void {
  pass.setPipeline(pipeline);
  if (place === undefined) pass.setBindGroup(0, bindings);
  else {
    OFFSETS[0] = place;
    pass.setBindGroup(0, bindings, OFFSETS, 0, 1);
  }
  pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
}

/** Where offsets are handed over; they are copied within the call. */
const OFFSETS = new Uint32Array(1);

/** The first `share` of a command's work, by the longest side of its grid. */
function part(command: Command, share: number): Command {
  const [x, y, z] = command.workgroups, longest = Math.max(x, y, z);
  const cut = (side: number): number => side === longest ? Math.ceil(side * share) : side;
  return { ...command, workgroups: [cut(x), cut(y), cut(z)] };
}

function leafBuffer(
  device: Device,
  leaf: Tensor,
  owner: Owner,
): GPUBuffer {
  if (leaf.op === variableOp) return leaf.attributes.variable.bufferOn(device);
  if (leaf.op === constantOp) {
    const data: TypedArray = leaf.attributes.data;
    const buffer = owner.buffer(
      byteLength(leaf.size, leaf.dtype),
      `constant ${formatShape(leaf.shape)}`,
    );
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

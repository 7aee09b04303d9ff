// What KAO_DEBUG=nan does: after each run of a plan, whose every value has memory of its own, finds the first
// value that is not finite. Values come in the order in which they are computed, so its inputs are finite.

import finite from "../../shaders/finite.wgsl" with { type: "text" };
import { formatShape, type Shape, stridesOf } from "../dtype.ts";
import type { Device } from "../runtime/device.ts";
import { readBuffers } from "../runtime/readback.ts";
import type { Tensor } from "../tensor.ts";
import { type Variable, variableOp } from "../variable.ts";
import { stripReshape } from "./fuse.ts";

/** A value and where it lies. */
export interface Place {
  readonly node: Tensor;
  readonly binding: GPUBufferBinding;
}

/** The offsets of bindings are multiples of this. */
const STEP = 256;
/** Words of a finding; the others of its step are not used. */
const NOTHING = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0];
const KINDS = ["memory 4", "memory 4"] as const;
const WORKGROUP = 64, MOST_WORKGROUPS = 1024;

interface Check extends Place {
  readonly bindings: GPUBindGroup;
}

/** Looks through the values of a plan. */
export class Audit {
  readonly #device: Device;
  readonly #name: string;
  readonly #found: GPUBuffer;
  readonly #pipeline: GPUComputePipeline;
  /** Of what is given before a run, and then of what is computed, in order. */
  readonly #checks: { readonly given: readonly Check[]; readonly computed: readonly Check[] };

  /** @param own makes the memory that findings need. */
  constructor(
    device: Device,
    plan: { name: string; given: readonly Place[]; computed: readonly Place[] },
    own: (bytes: number, what: string) => GPUBuffer,
  ) {
    this.#device = device;
    this.#name = plan.name;
    const given = plan.given.filter(isFloat), computed = plan.computed.filter(isFloat);
    this.#found = own((given.length + computed.length) * STEP, "findings");
    this.#pipeline = device.pipeline(finite, { label: "finite", kinds: KINDS });
    const check = (place: Place, at: number): Check => {
      const finding = { buffer: this.#found, offset: at * STEP, size: STEP };
      const label = `finite ${place.node}`;
      return {
        ...place,
        bindings: device.bindGroup([place.binding, finding], { label, kinds: KINDS }),
      };
    };
    this.#checks = {
      given: given.map(check),
      computed: computed.map((place, at) => check(place, given.length + at)),
    };
  }

  /** Records the check of what is given; to be called first. */
  before(encoder: GPUCommandEncoder): void {
    const count = this.#found.size / STEP;
    const words = new Uint32Array(this.#found.size / 4);
    for (let at = 0; at < count; at++) words.set(NOTHING, at * STEP / 4);
    this.#device.upload(this.#found, words);
    this.#record(encoder, this.#checks.given);
  }

  /** Records the check of what was computed. */
  after(encoder: GPUCommandEncoder): void {
    this.#record(encoder, this.#checks.computed);
  }

  #record(encoder: GPUCommandEncoder, checks: readonly Check[]): void {
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#pipeline);
    for (const { node, bindings } of checks) {
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(Math.min(MOST_WORKGROUPS, Math.ceil(node.size / WORKGROUP)));
    }
    pass.end();
  }

  /** Waits for the run that was submitted last. @throws {Error} that names what made the first NaN or Inf. */
  async verdict(): Promise<void> {
    const [bytes] = await readBuffers(this.#device, [this.#found]);
    const { given, computed } = this.#checks;
    const ranges = new Map<Tensor, string>();
    for (const [at, { node }] of [...given, ...computed].entries()) {
      const words = new Uint32Array(bytes, at * STEP, NOTHING.length);
      const bad = firstBad(words);
      if (bad !== undefined) throw new Error(report(node, { ...bad, ranges, plan: this.#name }));
      ranges.set(node, `from ${fromKey(words[3])} to ${fromKey(words[4])}`);
    }
  }
}

const isFloat = ({ node }: Place): boolean => node.dtype === "f32";

function firstBad(words: Uint32Array): { value: string; at: number } | undefined {
  const at = Math.min(words[0], words[1], words[2]);
  if (at === NOTHING[0]) return undefined;
  return { at, value: ["NaN", "Infinity", "-Infinity"][words.indexOf(at)] };
}

/** The number of a key that sorts like it. */
function fromKey(key: number): number {
  const bits = key >= 0x80000000 ? key & 0x7fffffff : ~key;
  const number = new Float32Array(Uint32Array.of(bits).buffer)[0];
  return Number(number.toPrecision(4));
}

function report(
  node: Tensor,
  found: { value: string; at: number; ranges: ReadonlyMap<Tensor, string>; plan: string },
): string {
  const place = formatShape(coordinates(node.shape, found.at));
  const what = `${found.value} at ${place} of ${node.dtype} ${formatShape(node.shape)}`;
  if (node.op.kind === "leaf") {
    const variable: Variable | undefined = node.op === variableOp
      ? node.attributes.variable
      : undefined;
    const name = variable?.name ? `${node.op.name} "${variable.name}"` : node.op.name;
    return `KAO_DEBUG=nan: ${found.plan} was given ${what}, a ${name} made at ${node.origin}`;
  }
  const inputs = node.inputs.map((input, i) => {
    const range = found.ranges.get(stripReshape(input)) ?? "";
    return `\n  input ${i}: ${input.op.name} ${input.dtype} ${formatShape(input.shape)} ${range}`;
  });
  return `KAO_DEBUG=nan: ${node.op.name} made ${what} in ${found.plan}\n  at ${node.origin}` +
    inputs.join("");
}

function coordinates(shape: Shape, offset: number): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(offset / stride) % shape[axis]);
}

// Kernels that do nothing but pass over memory: to copy, to read, to write.

import { Tensor } from "../engine/mod.ts";
import { beginInstance, declareSlots } from "../engine/kernels/access.ts";
import type { Dispatch, KernelContext } from "../engine/kernels/dispatch.ts";
import { threadGrid } from "../engine/kernels/gemm_grid.ts";
import type { KernelOp } from "../engine/op.ts";

/** A way to copy: the type that is loaded and stored, and how many of them a thread copies. */
export interface CopyWay {
  readonly type: "f32" | "vec4f";
  readonly each: number;
}

/** The ways that are tried. */
export const copies: readonly CopyWay[] = [
  { type: "f32", each: 1 },
  { type: "f32", each: 4 },
  { type: "vec4f", each: 1 },
  { type: "vec4f", each: 4 },
];

/** A copy of a tensor, whose size is a multiple of what a thread copies. */
export function copyOf(source: Tensor, way: CopyWay): Tensor {
  return new Tensor(copyOp, [source], { ...way }, source.shape, source.dtype);
}

/** Attributes: {@linkcode CopyWay}. */
const copyOp: KernelOp = {
  name: "copy",
  kind: "kernel",
  launch(context, { size, attributes: { type, each } }, { inputs: [source], output }) {
    const count = size / (type === "vec4f" ? 4 : 1);
    const moves = Array.from(
      { length: each },
      (_, i) => `result[at + ${i}u] = source[at + ${i}u];`,
    );
    return [threads(context, {
      ...{ kernel: "copy", variant: `${type} ${each}`, slots: [source, output], size },
      ...{ count: count / each, lanes: 64 },
      code: `
        @group(0) @binding(0) var<storage, read_write> source: array<${type}>;
        @group(0) @binding(1) var<storage, read_write> result: array<${type}>;`,
      body: `let at = thread * ${each}u; ${moves.join(" ")}`,
    })];
  },
};

/** A way to pass over memory once: to add up what each thread reads, or to write numbers. */
export interface PassWay {
  readonly type: "read" | "write";
  readonly each: number;
  /** Threads of a workgroup, which go over numbers that lie next to each other. */
  readonly lanes: number;
}

/** The ways that are tried: by vectors of a CPU, with much that a thread does at once. */
export const passes: readonly Omit<PassWay, "type">[] = [8, 16].flatMap((lanes) =>
  [16, 64].map((each) => ({ each, lanes }))
);

/** The sums that each thread found in `source`, or as many numbers as it has; see {@linkcode PassWay}. */
export function passOver(source: Tensor, way: PassWay): Tensor {
  const size = way.type === "read" ? source.size / way.each : source.size;
  return new Tensor(passOp, [source], { ...way }, [size], source.dtype);
}

/** Attributes: {@linkcode PassWay}. */
const passOp: KernelOp = {
  name: "pass",
  kind: "kernel",
  launch(context, { attributes: { type, each, lanes }, inputs: [{ size }] }, slots) {
    const reads = type === "read", bound = reads ? [slots.inputs[0], slots.output] : [slots.output];
    const places = Array.from(
      { length: each },
      (_, i) => `thread / ${lanes}u * ${lanes * each}u + thread % ${lanes}u + ${i * lanes}u`,
    );
    return [threads(context, {
      ...{ kernel: "pass", variant: `${type} ${each}`, slots: bound, size },
      ...{ count: size / each, lanes },
      code: declareSlots(bound, { names: reads ? ["source", "result"] : ["result"] }),
      body: reads
        ? `store_result(thread, ${places.map((place) => `load_source(${place})`).join(" + ")});`
        : places.map((place, i) => `store_result(${place}, f32(thread + ${i}u));`).join(" "),
    })];
  },
};

/** A kernel of `count` threads, `lanes` to a workgroup, that each do `body`. */
function threads(
  context: KernelContext,
  { kernel, variant, slots, size, count, lanes, code, body }:
    & Pick<Dispatch, "kernel" | "variant" | "slots" | "code">
    & { size: number; count: number; lanes: number; body: string },
): Dispatch {
  const { workgroups, values } = threadGrid(context, { threads: count, workgroup: lanes });
  return {
    ...{ kernel, variant, shape: `[${size}]`, slots, workgroups, flops: 0 },
    code: `${code}

      @compute @workgroup_size(${values.WORKGROUP})
      fn main(@builtin(global_invocation_id) id: vec3u) {
        ${beginInstance(slots, "id.z")}
        let thread = id.y * ${values.ROW} + id.x;
        if (thread >= ${values.COUNT}) { return; }
        ${body}
      }`,
  };
}

// The roof of the roofline: the fastest matrix product and the fastest copy that plain WGSL reached here.

import { type Device, matmul, Tensor } from "../engine/mod.ts";
import { threadGrid } from "../engine/kernels/gemm_grid.ts";
import { matmulVariants } from "../engine/kernels/matmul.ts";
import type { KernelOp } from "../engine/op.ts";
import { filled, timeAlone } from "./alone.ts";

/** A rate, and what reached it. */
export interface Ceiling {
  readonly rate: number;
  readonly by: string;
}

/** The best rates of an adapter. */
export interface Ceilings {
  /** GFLOP/s of a product of f32 matrices, its packing counted in. */
  readonly product: Ceiling;
  /** GB/s, read and written. */
  readonly copy: Ceiling;
}

/** Sides of the square matrices. */
const SIDES = { cpu: [256, 512, 1024], gpu: [1024, 2048, 4096] };
/** Bytes that are copied: more than caches hold. */
const COPIED = { cpu: 2 ** 26, gpu: 2 ** 28 };

/** Measures both, in some seconds. */
export async function measureCeilings(device: Device): Promise<Ceilings> {
  return { product: await bestProduct(device), copy: await bestCopy(device) };
}

/** GFLOP/s of the best of all variants and sizes; a variant that is far behind is not tried on larger ones. */
export async function bestProduct(device: Device): Promise<Ceiling> {
  let best: Ceiling = { rate: 0, by: "nothing" };
  let variants: (string | undefined)[] = [undefined, ...matmulVariants];
  for (const side of device.adapter.cpu ? SIDES.cpu : SIDES.gpu) {
    const promising = [];
    for (const variant of variants) {
      const product = matmul(filled([side, side]), filled([side, side]));
      const rate = await rateOf(device, product, { amount: 2 * side ** 3, variant });
      if (rate > best.rate) best = { rate, by: `${variant ?? "as chosen"}, ${side}x${side}` };
      if (rate > best.rate / 2) promising.push(variant);
    }
    variants = promising;
  }
  return best;
}

/** GB/s of the best of a few ways to copy. */
export async function bestCopy(device: Device): Promise<Ceiling> {
  const bytes = device.adapter.cpu ? COPIED.cpu : COPIED.gpu;
  let best: Ceiling = { rate: 0, by: "nothing" };
  for (const type of ["f32", "vec4f"] as const) {
    for (const each of [1, 4]) {
      const source = filled([bytes / 4]);
      const copy = new Tensor(copyOp, [source], { type, each }, source.shape, "f32");
      const rate = await rateOf(device, copy, { amount: 2 * bytes });
      if (rate > best.rate) best = { rate, by: `${type}, ${each} a thread` };
    }
  }
  return best;
}

/** Copies, by as many elements of a type a thread as the attributes say. */
const copyOp: KernelOp = {
  name: "copy",
  kind: "kernel",
  launch(context, { size, attributes: { type, each } }, { inputs: [source], output }) {
    const count = size / (type === "vec4f" ? 4 : 1);
    const { workgroups, values } = threadGrid(context, { threads: count / each, workgroup: 64 });
    const copies = Array.from({ length: each }, (_, i) => `to[at + ${i}u] = from[at + ${i}u];`);
    const code = `
      @group(0) @binding(0) var<storage, read_write> from: array<${type}>;
      @group(0) @binding(1) var<storage, read_write> to: array<${type}>;

      @compute @workgroup_size(${values.WORKGROUP})
      fn main(@builtin(global_invocation_id) id: vec3u) {
        let thread = id.y * ${values.ROW} + id.x;
        if (thread >= ${values.COUNT}) { return; }
        let at = thread * ${each}u;
        ${copies.join(" ")}
      }`;
    const slots = [source, output], variant = `${type} ${each}`;
    return [{ kernel: "copy", variant, shape: `[${size}]`, code, slots, workgroups, flops: 0 }];
  },
};

/** How much a second, in 10^9, a plan for one tensor gets done of some amount. */
async function rateOf(
  device: Device,
  value: Tensor,
  options: { amount: number; variant?: string },
): Promise<number> {
  const { time } = await timeAlone(device, value, options);
  return options.amount / time.total;
}

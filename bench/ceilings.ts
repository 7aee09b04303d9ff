// The roof of the roofline: the fastest matrix product and the fastest copy that plain WGSL reached here.

import { type Device, matmul, Tensor } from "../engine/mod.ts";
import { beginInstance, declareSlots } from "../engine/kernels/access.ts";
import type { Dispatch, KernelContext } from "../engine/kernels/dispatch.ts";
import { threadGrid } from "../engine/kernels/gemm_grid.ts";
import { matmulVariants } from "../engine/kernels/matmul.ts";
import type { KernelOp } from "../engine/op.ts";
import { filled, inTexels, timeAlone } from "./alone.ts";

/** A rate, and what reached it. */
export interface Ceiling {
  readonly rate: number;
  readonly by: string;
}

/** The best matrix product. */
export interface ProductCeiling extends Ceiling {
  /** Its rate now: on a busy machine, what is compared with it has to run next to it. */
  again(): Promise<number>;
}

/** The best rates of an adapter. */
export interface Ceilings {
  /** GFLOP/s of a product of f32 matrices, its packing counted in. */
  readonly product: ProductCeiling;
  /** GB/s, read and written. */
  readonly copy: Ceiling;
}

/** Sides of the square matrices. */
const SIDES = { cpu: [256, 512, 1024], gpu: [1024, 2048, 4096] };
/** Bytes that are copied: more than caches hold. */
const COPIED = { cpu: 2 ** 26, gpu: 2 ** 28 };

/** Milliseconds for which the best product is measured again. */
const AGAIN_MS = 100;

/** Measures both, in some seconds. */
export async function measureCeilings(device: Device): Promise<Ceilings> {
  return { product: await bestProduct(device), copy: await bestCopy(device) };
}

/** GFLOP/s of the best of all variants and sizes; a variant that is far behind is not tried on larger ones. */
export async function bestProduct(device: Device): Promise<ProductCeiling> {
  const measure = (
    side: number,
    variant: string | undefined,
    budget?: number,
  ): Promise<number> => {
    const product = matmul(filled([side, side]), filled([side, side]));
    return rateOf(device, product, { amount: 2 * side ** 3, variant, budget });
  };
  let best: ProductCeiling | undefined;
  let variants: (string | undefined)[] = [undefined, ...matmulVariants];
  for (const side of device.adapter.cpu ? SIDES.cpu : SIDES.gpu) {
    const rates = new Map<string | undefined, number>();
    for (const variant of variants) {
      const rate = await measure(side, variant);
      rates.set(variant, rate);
      if (best !== undefined && rate <= best.rate) continue;
      const by = `${variant ?? "as chosen"}, ${side}x${side}`;
      best = { rate, by, again: () => measure(side, variant, AGAIN_MS) };
    }
    variants = variants.filter((variant) => rates.get(variant)! > best!.rate / 2);
  }
  return best!;
}

/** GB/s of the best of a few ways to copy. */
export async function bestCopy(device: Device): Promise<Ceiling> {
  const bytes = bytesOf(device);
  return await best(copies.map((way) => ({
    by: `${way.type}, ${way.each} a thread`,
    measure: () => rateOf(device, copyOf(filled([bytes / 4]), way), { amount: 2 * bytes }),
  })));
}

/** GB/s at which operands and results are passed over where they lie in a step. */
export interface Traffic {
  readonly read: number;
  readonly written: number;
}

/** In texels on CPU adapters; on GPUs buffers are read and written as fast as they are copied. */
export async function bestTraffic(device: Device): Promise<Traffic> {
  if (!device.images) {
    const { rate } = await bestCopy(device);
    return { read: rate, written: rate };
  }
  const bytes = bytesOf(device) / 4;
  const passing = async (type: PassWay["type"]): Promise<number> => {
    const { rate } = await best(passes.map((way) => ({
      by: `${type}, ${way.each} a thread`,
      measure: () => {
        const pass = passOver(filled([bytes / 4]), { type, ...way });
        return rateOf(device, inTexels(pass), { amount: bytes });
      },
    })));
    return rate;
  };
  return { read: await passing("read"), written: await passing("write") };
}

const bytesOf = (device: Device): number =>
  Math.min(device.adapter.cpu ? COPIED.cpu : COPIED.gpu, device.limits.maxBufferSize);

async function best(
  ways: readonly { readonly by: string; readonly measure: () => Promise<number> }[],
): Promise<Ceiling> {
  let best: Ceiling = { rate: 0, by: "nothing" };
  for (const { by, measure } of ways) {
    const rate = await measure();
    if (rate > best.rate) best = { rate, by };
  }
  return best;
}

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
const passes: readonly Omit<PassWay, "type">[] = [8, 16].flatMap((lanes) =>
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
    const [slot, name] = type === "read" ? [slots.inputs[0], "source"] : [slots.output, "result"];
    const bound = type === "read" ? [slot, slots.output] : [slot];
    const at = (i: number) =>
      `thread / ${lanes}u * ${lanes * each}u + thread % ${lanes}u + ${i * lanes}u`;
    const places = Array.from({ length: each }, (_, i) => at(i));
    return [threads(context, {
      ...{
        kernel: "pass",
        variant: `${type} ${each}`,
        slots: bound,
        size,
        count: size / each,
        lanes,
      },
      code: declareSlots(bound, { names: type === "read" ? [name, "result"] : [name] }),
      body: type === "read"
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

/** How much a second, in 10^9, a plan for one tensor gets done of some amount. */
async function rateOf(
  device: Device,
  value: Tensor,
  options: { amount: number; variant?: string; budget?: number },
): Promise<number> {
  const { time } = await timeAlone(device, value, options);
  return options.amount / time.total;
}

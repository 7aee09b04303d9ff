// The roof of the roofline: the fastest matrix product and the fastest copy that plain WGSL reached here.

import { type Device, matmul, type Tensor } from "../engine/mod.ts";
import { keepsTexels } from "../engine/compile/lower.ts";
import { targetOf } from "../engine/compile/plan.ts";
import { matmulVariants } from "../engine/kernels/matmul.ts";
import { filled, inTexels, timeAlone } from "./alone.ts";
import { copies, copyOf, passes, passOver, type PassWay } from "./traffic.ts";

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
  if (!keepsTexels(targetOf(device))) {
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

/** How much a second, in 10^9, a plan for one tensor gets done of some amount. */
async function rateOf(
  device: Device,
  value: Tensor,
  options: { amount: number; variant?: string; budget?: number },
): Promise<number> {
  const { time } = await timeAlone(device, value, options);
  return options.amount / time.total;
}

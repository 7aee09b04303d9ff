// The convolutions of a workload, each product by itself, against the best matrix product.

import { Device, type Precision, type Tensor } from "../engine/mod.ts";
import { keepsTexels, type Target } from "../engine/compile/lower.ts";
import { targetOf } from "../engine/compile/plan.ts";
import type { Conv2dGeometry } from "../engine/kernels/conv2d.ts";
import { variableOp } from "../engine/variable.ts";
import { type Alone, inTexels, kernelOps, onNoise, timeAlone } from "./alone.ts";
import { bestProduct, bestTraffic, type Ceiling, type Traffic } from "./ceilings.ts";
import { digits, median } from "./statistics.ts";
import { percent, table } from "./table.ts";
import type { WorkloadName } from "./workloads.ts";

/** The ops of a convolution's products, under the names that the table has for them. */
const products = {
  conv2d: "forward",
  conv2dInputGrad: "input gradient",
  conv2dWeightGrad: "weight gradient",
} as const;

/** Products are timed in turns with the best matrix product, so often and so long; medians count. */
const ROUNDS = 3, BUDGET_MS = 200;

type Product = typeof products[keyof typeof products];

/**
 * A product of a layer: packing its operands and unpacking its result are counted in. On CPU adapters, operands and
 * results lie in texels, as in a step.
 */
export interface ProductTime {
  readonly ms: number;
  /** 10^9 operations of the direct convolution a second. */
  readonly gflops: number;
  /** Of the best matrix product, measured anew next to it. */
  readonly share: number;
  /** The share that a direct product could reach, by {@linkcode roofOf}. */
  readonly roof: number;
  readonly variants: readonly string[];
}

/** A convolution with those of its products that the workload needs. */
export interface LayerTime {
  readonly layer: string;
  readonly products: Partial<Record<Product, ProductTime>>;
}

/** All convolutions of a workload. */
export interface Layers {
  readonly workload: WorkloadName;
  readonly batch: number;
  readonly device: string;
  readonly product: Ceiling;
  readonly traffic: Traffic;
  readonly layers: readonly LayerTime[];
}

/** Measures every different convolution of a workload. */
export async function measureLayers(
  name: WorkloadName,
  options: {
    batch: number;
    variant?: string;
    precision?: Precision;
    progress: (line: string) => void;
  },
): Promise<Layers> {
  const device = Device.default;
  const { batch, variant, precision, progress } = options;
  const product = await bestProduct(device), traffic = await bestTraffic(device);
  const layers = new Map<string, Partial<Record<Product, ProductTime>>>();
  for (const node of kernelOps(name, batch)) {
    const op = products[node.op.name as keyof typeof products];
    if (op === undefined) continue;
    const rounds: { roof: number; alone: Alone }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const roof = await product.again();
      const alone = await timeAlone(device, asInStep(node, { ...targetOf(device), variant }), {
        ...{ variant, precision, budget: BUDGET_MS },
      });
      rounds.push({ roof, alone });
    }
    const [{ alone: work }] = rounds;
    const of = (figure: (round: typeof rounds[0]) => number) => median(rounds.map(figure));
    const time = of(({ alone }) => alone.time.total);
    const layer = layerName(node);
    progress(`${layer}, ${op}: ${digits(time / 1e6)} ms`);
    layers.set(layer, {
      ...layers.get(layer),
      [op]: {
        ms: time / 1e6,
        gflops: work.flops / time,
        share: of(({ roof, alone }) => alone.flops / alone.time.total / roof),
        roof: roofOf(work, { ...device.adapter, ...traffic, product: of(({ roof }) => roof) }),
        variants: work.dispatches.map((dispatch) => dispatch.variant),
      },
    });
  }
  const rows = [...layers].map(([layer, products]) => ({ layer, products }));
  return { workload: name, batch, device: device.adapter.name, product, traffic, layers: rows };
}

/** The op on operands of noise that lie where they do in its step on a machine. */
function asInStep(node: Tensor, target: Target): Tensor {
  const variables = node.inputs.map(({ op }) => op === variableOp);
  return keepsTexels(target) ? inTexels(onNoise(node), { variables }) : onNoise(node);
}

/**
 * The share of the best matrix product's rate that a direct convolution could reach if it did all of its operations
 * at that rate, and passed once over its operands and its result, at the best rates. On a GPU the two overlap; on a
 * CPU they are instructions of the same cores, one after the other.
 *
 * @param work.flops operations; `work.read` and `work.written` are bytes of operands and result.
 * @param rates.product 10^9 operations, and `rates.read` and `rates.written` bytes a second.
 */
export function roofOf(
  work: { flops: number; read: number; written: number },
  rates: { cpu: boolean; product: number; read: number; written: number },
): number {
  const computing = work.flops / rates.product;
  const passing = work.read / rates.read + work.written / rates.written;
  return computing / (rates.cpu ? computing + passing : Math.max(computing, passing));
}

/** As `4x4 stride 2, 64 -> 128 at 32x32`. */
function layerName(node: Tensor): string {
  const { kernel, stride, inChannels, outChannels, inputSize }: Conv2dGeometry =
    node.attributes.geometry;
  const steps = stride[0] === 1 ? "" : ` stride ${stride[0]}`;
  return `${kernel.join("x")}${steps}, ${inChannels} -> ${outChannels} at ${inputSize.join("x")}`;
}

/** Layers as a table. */
export function formatLayers({ workload, batch, product, traffic, layers }: Layers): string {
  const kinds = Object.values(products);
  const cells = (time: ProductTime | undefined): string[] =>
    time === undefined
      ? ["", "", "", ""]
      : [digits(time.ms), digits(time.gflops), percent(time.share), percent(time.roof)];
  const rows = layers.map(({ layer, products }) => [
    layer,
    ...kinds.flatMap((kind) => cells(products[kind])),
  ]);
  const all = layers.flatMap(({ products }) => Object.values(products));
  const slow = all.filter(({ share }) => share < 0.8);
  const bound = slow.filter(({ roof }) => roof < 0.8);
  return [
    `${workload}, batch ${batch}: GFLOP/s of the direct convolution, packing counted in`,
    `The best matrix product: ${digits(product.rate)} GFLOP/s (${product.by}); memory is read ` +
    `at ${digits(traffic.read)} GB/s at best, and written at ${digits(traffic.written)}`,
    table(
      ["layer", ...kinds.flatMap((kind) => [`${kind}: ms`, "GFLOP/s", "of best", "roof"])],
      rows,
    ),
    `${
      all.length - slow.length
    } of ${all.length} products reach 80 % of the best matrix product; of the ` +
    `others ${bound.length} could not by a direct form: passing over their memory once takes too long (roof)`,
  ].join("\n");
}

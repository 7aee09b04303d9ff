// Inception v3 up to its features, as data: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception
// Architecture for Computer Vision", 2015, figures 5 to 7 and table 1. Names are those of PyTorch's state dicts.

/** A convolution without bias, batch norm and ReLU. */
export interface ConvStep {
  readonly kind: "conv";
  /** Its tensors are `NAME.conv.weight`, `NAME.bn.bias` and so on. */
  readonly name: string;
  readonly channels: number;
  /** `[height, width]`. */
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly padding: readonly [number, number];
}

/** A window of 3x3 pixels over each channel. */
export interface PoolStep {
  readonly kind: "pool";
  readonly how: "max" | "average" | "average with padding";
  readonly stride: number;
  readonly padding: number;
}

/** Several ways on from the same picture; their channels are joined. */
export interface ForkStep {
  readonly kind: "fork";
  readonly ways: readonly (readonly Step[])[];
}

/** One step of a network. */
export type Step = ConvStep | PoolStep | ForkStep;

/**
 * Which of the two networks with these names and shapes: that of TensorFlow's graph `inception-2015-12-05`, which
 * Heusel et al. 2017 took for FID, or torchvision's, trained on ImageNet. Average pools of the first leave padding
 * out, and the last block of the first has a max pool in place of one.
 */
export type InceptionVariant = "2015-12-05" | "torchvision";

/** Length of the features: the means of the last block's channels, `pool3`. */
export const INCEPTION_FEATURES = 2048;

type Kernel = number | readonly [number, number];

/** The steps from pictures `[N, 3, H, W]` in [-1, 1] to the last block's `[N, INCEPTION_FEATURES, H', W']`. */
export function inceptionSteps(variant: InceptionVariant): readonly Step[] {
  const published = variant === "2015-12-05";
  const average = pool(published ? "average" : "average with padding");
  const maximum = pool("max");
  return [
    valid("Conv2d_1a_3x3", 32, 3, 2),
    valid("Conv2d_2a_3x3", 32, 3),
    same("Conv2d_2b_3x3", 64, 3),
    shrink,
    valid("Conv2d_3b_1x1", 80, 1),
    valid("Conv2d_4a_3x3", 192, 3),
    shrink,
    squares("Mixed_5b", 32, average),
    squares("Mixed_5c", 64, average),
    squares("Mixed_5d", 64, average),
    fork("Mixed_6a", [
      [["branch3x3", 384, 3, 2]],
      [["branch3x3dbl_1", 64, 1], ["branch3x3dbl_2", 96, 3], ["branch3x3dbl_3", 96, 3, 2]],
      [shrink],
    ]),
    rows("Mixed_6b", 128, average),
    rows("Mixed_6c", 160, average),
    rows("Mixed_6d", 160, average),
    rows("Mixed_6e", 192, average),
    fork("Mixed_7a", [
      [["branch3x3_1", 192, 1], ["branch3x3_2", 320, 3, 2]],
      [
        ["branch7x7x3_1", 192, 1],
        ["branch7x7x3_2", 192, [1, 7]],
        ["branch7x7x3_3", 192, [7, 1]],
        ["branch7x7x3_4", 192, 3, 2],
      ],
      [shrink],
    ]),
    spread("Mixed_7b", average),
    spread("Mixed_7c", published ? maximum : average),
  ];
}

/** Figure 5: two 3x3 convolutions, and one of 5x5. */
function squares(block: string, pooled: number, average: PoolStep): ForkStep {
  return fork(block, [
    [["branch1x1", 64, 1]],
    [["branch5x5_1", 48, 1], ["branch5x5_2", 64, 5]],
    [["branch3x3dbl_1", 64, 1], ["branch3x3dbl_2", 96, 3], ["branch3x3dbl_3", 96, 3]],
    [average, ["branch_pool", pooled, 1]],
  ]);
}

/** Figure 6: 7x7 convolutions as rows and columns. */
function rows(block: string, narrow: number, average: PoolStep): ForkStep {
  return fork(block, [
    [["branch1x1", 192, 1]],
    [["branch7x7_1", narrow, 1], ["branch7x7_2", narrow, [1, 7]], ["branch7x7_3", 192, [7, 1]]],
    [
      ["branch7x7dbl_1", narrow, 1],
      ["branch7x7dbl_2", narrow, [7, 1]],
      ["branch7x7dbl_3", narrow, [1, 7]],
      ["branch7x7dbl_4", narrow, [7, 1]],
      ["branch7x7dbl_5", 192, [1, 7]],
    ],
    [average, ["branch_pool", 192, 1]],
  ]);
}

/** Figure 7: rows and columns beside each other. */
function spread(block: string, pooling: PoolStep): ForkStep {
  const both = (name: string, [a, b]: readonly [string, string]): ForkStep =>
    fork(block, [[[name + a, 384, [1, 3]]], [[name + b, 384, [3, 1]]]]);
  return fork(block, [
    [["branch1x1", 320, 1]],
    [["branch3x3_1", 384, 1], both("branch3x3_2", ["a", "b"])],
    [["branch3x3dbl_1", 448, 1], ["branch3x3dbl_2", 384, 3], both("branch3x3dbl_3", ["a", "b"])],
    [pooling, ["branch_pool", 192, 1]],
  ]);
}

/** A convolution of a block in short; with a stride it has no padding, otherwise it keeps height and width. */
type Short = readonly [name: string, channels: number, kernel: Kernel, stride?: number];

function fork(block: string, ways: readonly (readonly (Step | Short)[])[]): ForkStep {
  const step = (it: Step | Short): Step => {
    if ("kind" in it) return it;
    const [name, channels, kernel, stride] = it, full = `${block}.${name}`;
    return stride ? valid(full, channels, kernel, stride) : same(full, channels, kernel);
  };
  return { kind: "fork", ways: ways.map((way) => way.map(step)) };
}

function same(name: string, channels: number, kernel: Kernel): ConvStep {
  const step = valid(name, channels, kernel), [height, width] = step.kernel;
  return { ...step, padding: [(height - 1) / 2, (width - 1) / 2] };
}

function valid(name: string, channels: number, kernel: Kernel, stride = 1): ConvStep {
  const both = typeof kernel === "number" ? [kernel, kernel] as const : kernel;
  return { kind: "conv", name, channels, kernel: both, stride, padding: [0, 0] };
}

/** A pool that keeps height and width. */
function pool(how: PoolStep["how"]): PoolStep {
  return { kind: "pool", how, stride: 1, padding: 1 };
}

/** The pool that halves height and width. */
const shrink: PoolStep = { kind: "pool", how: "max", stride: 2, padding: 0 };

/** A convolution with the shape of its weight, `[channels, channels before, height, width]`. */
export interface ConvLayer {
  readonly step: ConvStep;
  readonly shape: readonly [number, number, number, number];
}

/** Every convolution of some steps on pictures of `channels` channels. */
export function convolutions(steps: readonly Step[], channels = 3): ConvLayer[] {
  let before = channels;
  return steps.flatMap((step) => {
    const found = step.kind === "fork"
      ? step.ways.flatMap((way) => convolutions(way, before))
      : step.kind === "conv"
      ? [{ step, shape: [step.channels, before, ...step.kernel] as const }]
      : [];
    before = channelsAfter([step], before);
    return found;
  });
}

function channelsAfter(steps: readonly Step[], channels: number): number {
  return steps.reduce((before, step) => {
    if (step.kind === "conv") return step.channels;
    if (step.kind === "pool") return before;
    return step.ways.reduce((sum, way) => sum + channelsAfter(way, before), 0);
  }, channels);
}

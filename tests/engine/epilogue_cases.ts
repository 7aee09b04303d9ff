// Products and what follows them, for tests of epilogues.

import {
  add,
  cast,
  conv2d,
  convTranspose2d,
  div,
  Generator,
  grad,
  gt,
  leakyRelu,
  matmul,
  mul,
  permute,
  pixelShuffle,
  relu,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  type Tensor,
  type Variable,
  where,
} from "../../engine/mod.ts";
import type { Case, Source } from "./cases.ts";

/** Whether a kernel has an epilogue. */
export const hasEpilogue = (kernel: string): boolean => kernel.includes(" + ");

/** A convolution of noise. */
export const conv = (source: Source, options: {
  batch?: number;
  channels?: [number, number];
  size?: [number, number];
  kernel?: number;
  stride?: number;
  groups?: number;
} = {}): Tensor => {
  const { batch = 2, channels: [from, to] = [5, 8], size = [8, 8], groups = 1 } = options;
  const { kernel = 3, stride = 1 } = options;
  return conv2d(
    source.tensor(batch, from, ...size),
    source.tensor(to, from / groups, kernel, kernel),
    { padding: 1, stride, groups },
  );
};

/** A number for each channel. */
export const bias = (source: Source, { shape }: Tensor): Tensor =>
  reshape(source.tensor(shape[1]), [1, shape[1], 1, 1]);

/** Adam's arithmetic, for a variable that goes down a gradient. */
export function adam(source: Source, weight: Variable, gradient: Tensor): Tensor[] {
  const m = source.variable(...weight.shape), v = source.variable(...weight.shape);
  const first = add(mul(m.value, 0.9), mul(gradient, 0.1));
  const second = add(mul(square(v.value), 0.99), mul(square(gradient), 0.01));
  const step = div(mul(first, source.tensor(1)), add(sqrt(second), 1e-3));
  m.assign(first);
  v.assign(second);
  weight.assign(sub(weight.value, step));
  return [];
}

/** A step of the weight of a convolution, by default to three channels. */
export function updated(
  s: Source,
  { batch = 3, channels: [from, to] = [6, 3], kernel = 3, stride = 1 }: {
    batch?: number;
    channels?: [number, number];
    kernel?: number;
    stride?: number;
  },
): Tensor[] {
  const x = s.tensor(batch, from, 6, 12), weight = s.variable(to, from, kernel, kernel);
  const y = conv2d(x, weight.value, { padding: 1, stride });
  const [gradient] = grad(sum(mul(y, s.tensor(...y.shape))), [weight.value]);
  return adam(s, weight, gradient);
}

/** A step of a matrix of so many columns. */
function updatedMatrix(s: Source, columns: number): Tensor[] {
  const x = s.tensor(9, 10), weight = s.variable(10, columns);
  const y = matmul(x, weight.value);
  const [gradient] = grad(sum(mul(y, s.tensor(...y.shape))), [weight.value]);
  return adam(s, weight, gradient);
}

/** Cases of which all that follows a product becomes its epilogue. */
export const fused: Readonly<Record<string, Case>> = {
  "a convolution, its bias and relu": (s) => {
    const y = conv(s);
    return [relu(add(y, bias(s, y)))];
  },
  "a convolution of odd sizes, its bias and leakyRelu": (s) => {
    const y = conv(s, { batch: 3, channels: [3, 7], size: [5, 7] });
    return [leakyRelu(add(y, bias(s, y)), { negativeSlope: 0.2 })];
  },
  "a strided convolution of few channels, its bias and tanh": (s) => {
    const y = conv(s, { channels: [4, 3], size: [9, 6], stride: 2 });
    return [tanh(add(y, bias(s, y)))];
  },
  "rows to three channels, their bias and tanh": (s) => {
    const y = conv(s, { channels: [6, 3], size: [6, 12] });
    return [tanh(add(y, bias(s, y)))];
  },
  "rows of a transposed convolution to three channels, their bias and tanh": (s) => {
    const x = s.tensor(2, 6, 4, 8), weight = s.tensor(6, 3, 4, 4);
    const y = convTranspose2d(x, weight, { stride: 2, padding: 1 });
    return [tanh(add(y, bias(s, y)))];
  },
  "rows' update of a weight by Adam": (s) => updated(s, {}),
  "rows' update of a weight by Adam, of many workgroups": (s) => updated(s, { batch: 12 }),
  "a convolution in groups and its bias": (s) => {
    const y = conv(s, { channels: [6, 4], groups: 2 });
    return [add(y, bias(s, y))];
  },
  "a transposed convolution, its bias and relu": (s) => {
    const x = s.tensor(2, 6, 4, 5), weight = s.tensor(6, 5, 4, 4);
    const y = convTranspose2d(x, weight, { stride: 2, padding: 1 });
    return [relu(add(y, bias(s, y)))];
  },
  "a transposed convolution to whole quads, masked": (s) => {
    const y = convTranspose2d(s.tensor(3, 6, 6, 6), s.tensor(6, 5, 4, 4), {
      stride: 2,
      padding: 1,
    });
    return [where(gt(s.tensor(...y.shape), 0), y, mul(y, 0.2))];
  },
  "a matrix product and its bias": (
    s,
  ) => [add(matmul(s.tensor(9, 21), s.tensor(21, 12)), s.tensor(12))],
  "a batch of products of odd sizes, scaled, to another shape": (s) => {
    const y = matmul(s.tensor(3, 5, 7), s.tensor(3, 7, 9));
    return [mul(reshape(y, [15, 9]), s.tensor(1, 9))];
  },
  "a residual sum": (s) => [relu(add(conv(s), s.tensor(2, 8, 8, 8)))],
  "a residual sum with the product's own operand": (s) => {
    const x = s.tensor(2, 6, 5, 8), weight = s.tensor(6, 6, 3, 3);
    return [add(x, conv2d(x, weight, { padding: 1 }))];
  },
  "a residual sum with the product's own operand, of whole quads": (s) => {
    const x = s.tensor(2, 8, 16), weight = s.tensor(1, 16, 16);
    return [add(x, matmul(x, weight))];
  },
  "a mask of bytes' worth": (s) => {
    const y = conv(s);
    return [gt(y, 0), cast(mul(y, 100), "i32")];
  },
  "pixelShuffle": (s) => [pixelShuffle(conv(s), 2)],
  "a bias before pixelShuffle, and PReLU after it": (s) => {
    const y = conv(s, { channels: [3, 12], size: [5, 6] });
    const shuffled = pixelShuffle(add(y, bias(s, y)), 2);
    return [where(gt(shuffled, 0), shuffled, mul(shuffled, bias(s, shuffled)))];
  },
  "a bias before pixelShuffle of whole quads, and batch norm after it": (s) => {
    const y = conv(s, { batch: 3, channels: [3, 12], size: [9, 12] });
    const shuffled = pixelShuffle(add(y, bias(s, y)), 2);
    const normal = mul(sub(shuffled, bias(s, shuffled)), bias(s, shuffled));
    return [relu(add(normal, bias(s, shuffled)))];
  },
  "pixelShuffle by 3": (s) => [relu(pixelShuffle(conv(s, { channels: [3, 18] }), 3))],
  "channels last, of a residual sum": (s) => {
    const y = conv(s, { batch: 3, channels: [2, 5], size: [4, 6] });
    return [add(permute(y, [0, 2, 3, 1]), s.tensor(3, 4, 6, 5))];
  },
  "a transposed matrix product and its bias": (s) => {
    const y = matmul(s.tensor(10, 6), s.tensor(6, 8));
    return [add(permute(y, [1, 0]), s.tensor(10))];
  },
  "a weight's update by Adam": (s) => updated(s, { channels: [4, 8] }),
  "the update of an odd number of weights": (s) => updated(s, { channels: [5, 3] }),
  "the update of a strided weight": (s) => updated(s, { channels: [5, 7], kernel: 4, stride: 2 }),
  "a matrix's update by Adam": (s) => updatedMatrix(s, 7),
  "the update of a matrix of whole quads": (s) => updatedMatrix(s, 12),
};

/** Cases of which a part becomes an epilogue. */
export const beside: Readonly<Record<string, Case>> = {
  "noise, whose stream goes on": (s) => {
    const y = conv(s);
    return [mul(y, new Generator(3).uniform(y.shape))];
  },
  "a result that is needed raw as well": (s) => {
    const y = conv(s);
    return [y, relu(add(y, bias(s, y)))];
  },
  "a result of odd size that is shuffled, and read raw by another product": (s) => {
    const y = conv(s, { channels: [3, 4], size: [5, 3] });
    return [conv2d(y, s.tensor(2, 4, 1, 1)), tanh(pixelShuffle(y, 2))];
  },
  "a raw result and a shuffled one, beside memory that one of them may take over": (s) => {
    const last = conv(s, { channels: [2, 1], size: [10, 6] });
    const y = conv(s, { channels: [3, 4], size: [5, 3] });
    return [tanh(mul(pixelShuffle(y, 2), last)), conv2d(y, s.tensor(2, 4, 1, 1))];
  },
  "residual blocks over memory that is used again": (s) => {
    let x = tanh(conv(s, { channels: [3, 6] }));
    for (let block = 0; block < 3; block++) {
      const inner = conv2d(x, s.tensor(6, 6, 3, 3), { padding: 1 });
      const outer = conv2d(relu(inner), s.tensor(6, 6, 1, 1));
      x = tanh(add(mul(x, 0.5), add(outer, bias(s, outer))));
    }
    return [x];
  },
  "the sum of two products": (s) => [add(conv(s), mul(conv(s), 2))],
  "a product of an activation, and the mask on the way back": (s) => {
    const x = s.tensor(2, 3, 6, 8), weight = s.tensor(4, 4, 3, 3);
    const y = relu(conv2d(x, s.tensor(4, 3, 3, 3), { padding: 1 }));
    return grad(sum(square(conv2d(y, weight, { padding: 1 }))), [x, weight]);
  },
  "a variable that is updated while others want its old value": (s) => {
    const x = s.tensor(6, 8), weight = s.variable(8, 8), other = s.variable(8, 8);
    const y = matmul(x, weight.value);
    const [gradient] = grad(sum(square(y)), [weight.value]);
    other.assign(add(other.value, weight.value));
    weight.assign(sub(weight.value, mul(gradient, 0.1)));
    return [tanh(matmul(y, weight.value))];
  },
};

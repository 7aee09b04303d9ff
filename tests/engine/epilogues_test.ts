// Epilogues: what a product's kernel makes of its results must be what a kernel after it would have made, in
// fewer dispatches.

import { assert, assertEquals } from "@std/assert";
import {
  add,
  cast,
  conv2d,
  convTranspose2d,
  div,
  expand,
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
  slice,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  type Tensor,
  type Variable,
  where,
} from "../../engine/mod.ts";
import type { Target } from "../../engine/compile/lower.ts";
import { targetOf } from "../../engine/compile/plan.ts";
import { dispatchesOf, sitesOf } from "../../engine/compile/sites.ts";
import { type Case, compareWithout, randomCases, type Source, trace } from "./cases.ts";
import { device } from "./device.ts";

const gpu = await device();

/** Runs a case with and without epilogues, whose results must be the same; gives both lists of kernels. */
const compare = (make: Case, variant: string): Promise<{ on: string[]; off: string[] }> =>
  compareWithout("epilogues", make, { variant });

const hasEpilogue = (kernel: string): boolean => kernel.includes(" + ");

const conv = (source: Source, options: {
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

const bias = (source: Source, { shape }: Tensor): Tensor =>
  reshape(source.tensor(shape[1]), [1, shape[1], 1, 1]);

/** Adam's arithmetic, for a variable that goes down a gradient. */
function adam(source: Source, weight: Variable, gradient: Tensor): Tensor[] {
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
function updated(
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
const fused: Readonly<Record<string, Case>> = {
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
const beside: Readonly<Record<string, Case>> = {
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

/** Variants of all products; what none of them can do comes in the plain form. */
const variants = ["direct", "tiled 16x64 prefetch", "tiled 32x32 split 3"];

for (const [name, make] of Object.entries(fused)) {
  Deno.test(`${name}: one kernel less, the same results`, async () => {
    const rows = name.startsWith("rows");
    for (const variant of rows ? ["tiled rows"] : variants) {
      const { on, off } = await compare(make, variant);
      assertEquals([on.length, on.filter(hasEpilogue).length], [off.length - 1, 1], `${on}`);
      assertEquals(on.some((kernel) => kernel.includes("tiled rows")), rows);
    }
  });
}

for (const [name, make] of Object.entries(beside)) {
  Deno.test(`${name}: fewer passes, the same results`, async () => {
    for (const variant of variants) {
      const { on, off } = await compare(make, variant);
      assert(on.length <= off.length && on.some(hasEpilogue), `${on} instead of ${off}`);
    }
  });
}

/** Convolutions of which filtering takes along what follows, in the transform of its results. */
const filtered = [
  "a convolution, its bias and relu",
  "a convolution of odd sizes, its bias and leakyRelu",
  "a transposed convolution, its bias and relu",
  "a residual sum",
  "a residual sum with the product's own operand",
  "a transposed convolution to whole quads, masked",
  "pixelShuffle",
  "a bias before pixelShuffle, and PReLU after it",
  "a bias before pixelShuffle of whole quads, and batch norm after it",
  "pixelShuffle by 3",
  "channels last, of a residual sum",
  "a weight's update by Adam",
  "the update of an odd number of weights",
  "the update of a strided weight",
];

for (const name of filtered) {
  Deno.test(`${name}, filtered: one kernel less, the same results`, async () => {
    for (const variant of ["winograd 4 tiled 32x32", "winograd 2 tiled 16x64 prefetch split 2"]) {
      const { on, off } = await compare(fused[name], variant);
      const last = on.filter((kernel) => kernel.includes("tiled result + "));
      assertEquals([on.length, last.length], [off.length - 1, 1], `${on}`);
    }
  });
}

/** Cases of which nothing can be an epilogue. */
const apart: Readonly<Record<string, Case>> = {
  "what reads elements more than once": (s) => {
    const y = conv(s);
    return [expand(reshape(y, [1, ...y.shape]), [2, ...y.shape])];
  },
  "what reads some of the elements": (s) => [relu(slice(conv(s), [[0, 1]]))],
  "what reads them in two orders": (s) => {
    const y = matmul(s.tensor(6, 5), s.tensor(5, 6));
    return [sub(y, permute(y, [1, 0]))];
  },
  "what waits for a sum of all": (s) => {
    const y = conv(s);
    return [div(y, sum(y))];
  },
  "a variable's next value, of the product of its old one": (s) => {
    const state = s.variable(6, 6);
    state.assign(tanh(matmul(state.value, s.tensor(6, 6))));
    return [];
  },
};

for (const [name, make] of Object.entries(apart)) {
  Deno.test(`${name}: no epilogue, the same results`, async () => {
    for (const variant of ["direct", "tiled 32x32"]) {
      const { on, off } = await compare(make, variant);
      assertEquals(on, off);
    }
  });
}

Deno.test("a form that takes no epilogue is followed by it", async () => {
  // So many channels that the plain form goes on from its own sums.
  const many: Case = (s) => {
    const y = conv2d(s.tensor(1, 5000, 1, 2), s.tensor(2, 5000, 3, 3), { padding: 1 });
    return [relu(add(y, bias(s, y)))];
  };
  const { on } = await compare(many, "direct");
  assertEquals(on.slice(0, -1), ["conv2d direct", "conv2d direct"]);
  assertEquals(on.length, 3);
});

/** A target like a GPU, with so many buffers to a kernel. */
const target = (maxStorageBuffersPerShaderStage: number): Target => ({
  ...targetOf(gpu),
  cpu: false,
  limits: { ...targetOf(gpu).limits, maxStorageBuffersPerShaderStage },
  choose: undefined,
});

Deno.test("what a filtered product's epilogue shuffles is stored by quads", () => {
  for (const [name, quads] of [["pixelShuffle", true], ["pixelShuffle by 3", false]] as const) {
    const { variables, ...program } = trace(fused[name]);
    const filtering = { ...target(8), variant: "winograd 4 tiled 32x32" };
    const { code } = dispatchesOf(program, filtering).find(({ variant }) => hasEpilogue(variant))!;
    assertEquals(/\] = vec4<f32>\(/.test(code), quads, name);
    variables.forEach((variable) => variable.destroy());
  }
});

Deno.test("no kernel is bound to more buffers than a device allows", () => {
  const wide: Case = (s) => {
    const y = conv(s);
    return [[1, 2, 3, 4, 5].reduce((x) => add(x, s.tensor(...y.shape)), y)];
  };
  const { variables, ...program } = trace(wide);
  const kernelsFor = (buffers: number) => {
    const dispatches = dispatchesOf(program, target(buffers));
    assert(dispatches.every(({ slots }) => new Set(slots).size <= buffers));
    return dispatches.length;
  };
  // Two operands, five summands, one result; the sum of split parts has one operand less.
  assertEquals([kernelsFor(7), kernelsFor(8)], [kernelsFor(8) + 1, kernelsFor(20)]);
  variables.forEach((variable) => variable.destroy());
});

Deno.test("an epilogue leaves a product's site as it is", () => {
  const { variables, ...program } = trace(fused["a residual sum"]);
  const { variables: others, ...plain } = trace((s) => [conv(s)]);
  const sites = [program, plain].map((program) =>
    sitesOf(program, target(8)).map(({ family, shape, candidates, node }) => ({
      ...{ family, shape, candidates },
      op: node.op.name,
    }))
  );
  assertEquals(sites[0], sites[1]);
  [...variables, ...others].forEach((variable) => variable.destroy());
});

/** Cases that reach the three ends of products on images: whole ones, sums of parts, and filtered ones. */
const ends: Readonly<Record<string, RegExp>> = {
  image: /image \d+x\d+ \+ /,
  "image, of parts": /sum of \d+ \+ /,
  "winograd 2": /winograd 2 result \+ /,
  "winograd 4": /winograd 4 result \+ /,
};

/** A product with a mask or a residual sum, deep enough to be split. */
const deep: Readonly<Record<string, Case>> = {
  "a deep product and its bias": (s) => [
    relu(add(matmul(s.tensor(5, 700), s.tensor(700, 7)), s.tensor(7))),
  ],
  "a deep product of whole quads, its bias and residual": (s) => {
    const y = matmul(s.tensor(2, 5, 700), s.tensor(2, 700, 12));
    return [relu(add(add(y, s.tensor(12)), s.tensor(2, 5, 12)))];
  },
  "a deep product, transposed, and its residual": (s) => [
    add(permute(matmul(s.tensor(5, 700), s.tensor(700, 7)), [1, 0]), s.tensor(7, 5)),
  ],
  "a deep product's batch, masked": (s) => {
    const y = matmul(s.tensor(2, 3, 700), s.tensor(2, 700, 5));
    return [where(gt(s.tensor(...y.shape), 0), y, mul(y, 0.2))];
  },
  "a weight's update by a deep gradient": (s) => updated(s, { batch: 33, channels: [5, 7] }),
};

const onImages = Object.entries({ ...fused, ...deep }).filter(([name]) => !name.startsWith("rows"));

Deno.test("products on images take along what follows: one kernel less, the same results", async () => {
  const reached = new Set<string>();
  for (const [name, make] of gpu.images ? onImages : []) {
    for (const variant of ["image", "winograd 2", "winograd 4"]) {
      const { on, off } = await compare(make, variant);
      const last = on.filter(hasEpilogue);
      assertEquals([on.length, last.length], [off.length - 1, 1], `${name}, ${variant}: ${on}`);
      for (const [end, label] of Object.entries(ends)) if (label.test(last[0])) reached.add(end);
    }
  }
  if (gpu.images) assertEquals(reached, new Set(Object.keys(ends)));
});

/** Pictures that lie in texels, for what is given lies in buffers. */
const inTexels = (s: Source, ...shape: number[]): Tensor => tanh(mul(s.tensor(...shape), 2));

/** Cases of products whose results, and operands of what follows them, lie in texels. */
const texels: Readonly<Record<string, Case>> = {
  "a bias and leakyRelu, before another product": (s) => {
    const y = conv(s, { batch: 3, channels: [3, 7], size: [5, 7] });
    const x = leakyRelu(add(y, bias(s, y)), { negativeSlope: 0.2 });
    return [x, matmul(reshape(x, [3, 245]), s.tensor(245, 2))];
  },
  "a residual sum of texels": (s) => {
    const x = inTexels(s, 3, 5, 7, 9), y = conv2d(x, s.tensor(5, 5, 3, 3), { padding: 1 });
    const sum = add(x, add(mul(y, bias(s, y)), bias(s, y)));
    return [conv2d(sum, s.tensor(2, 5, 1, 1)), square(sum)];
  },
  "a mask of a gradient": (s) => {
    const x = s.tensor(3, 4, 7, 6), weight = s.tensor(6, 5, 4, 4);
    const y = leakyRelu(conv2d(x, s.tensor(5, 4, 3, 3), { padding: 1 }), { negativeSlope: 0.2 });
    const z = conv2d(y, weight, { padding: 1, stride: 2 });
    return grad(sum(square(z)), [x, weight]);
  },
  "pixelShuffle into texels, and what is read of it in two ways": (s) => {
    const y = conv(s, { batch: 3, channels: [3, 12], size: [5, 6] });
    const shuffled = tanh(pixelShuffle(add(y, bias(s, y)), 2));
    return [conv2d(shuffled, s.tensor(4, 3, 3, 3)), square(permute(shuffled, [1, 0, 2, 3]))];
  },
  "a batch of deep products and texels": (s) => {
    const y = add(matmul(inTexels(s, 3, 5, 300), s.tensor(3, 300, 7)), inTexels(s, 3, 5, 7));
    return [square(y), matmul(y, s.tensor(3, 7, 2))];
  },
  "a batch of deep products of whole quads and texels": (s) => {
    const y = add(matmul(inTexels(s, 3, 5, 300), s.tensor(3, 300, 8)), inTexels(s, 3, 5, 8));
    return [square(y), matmul(y, s.tensor(3, 8, 2))];
  },
  "a plain product in groups, and texels": (s) => {
    const y = conv(s, { batch: 3, channels: [6, 4], size: [5, 7], groups: 2 });
    return [relu(add(add(y, bias(s, y)), inTexels(s, ...y.shape)))];
  },
};

for (const [name, make] of Object.entries(texels)) {
  Deno.test(`${name}: no more kernels, the same results`, async () => {
    const { on, off } = await compareWithout("epilogues", make);
    const copies = on.filter((kernel) => /^pointwise copy[ |copy]*$/.test(kernel)).length;
    // Without, an operand is packed of what it is computed from.
    assert(on.length - copies <= off.length && on.some(hasEpilogue), `${on} instead of ${off}`);
  });
}

for (const [name, make] of Object.entries({ ...fused, ...beside, ...deep })) {
  Deno.test(`${name}, in the form that comes first: the same results`, async () => {
    const { on, off } = await compareWithout("epilogues", make);
    const copies = on.filter((kernel) => kernel.includes("copy")).length;
    assert(on.length - copies <= off.length, `${on} instead of ${off}`);
  });
}

Deno.test("on CPU adapters an epilogue is what pays", () => {
  const cpu = { ...target(16), cpu: true, images: true };
  const lastOf = (make: Case, options: Partial<Target> = {}): string => {
    const { variables, ...program } = trace(make);
    variables.forEach((variable) => variable.destroy());
    return dispatchesOf(program, { ...cpu, ...options }).at(-1)!.variant;
  };
  // Of an update all lies in buffers, to which kernels of the compiler store by fours; so do some products.
  const update = fused["a matrix's update by Adam"];
  assertEquals(
    [fused["a residual sum"], update, fused["the update of a matrix of whole quads"]]
      .map((make) => hasEpilogue(lastOf(make))),
    [true, false, true],
  );
  assertEquals(hasEpilogue(lastOf(update, { images: false })), true);
  // Both gradients of a weight are one kernel.
  const twice: Case = (s) => {
    const weight = s.variable(10, 12);
    const loss = [0, 1].map(() => sum(square(matmul(inTexels(s, 9, 10), weight.value))));
    return adam(s, weight, grad(add(loss[0], loss[1]), [weight.value])[0]);
  };
  assertEquals([{}, { images: false }].map((some) => hasEpilogue(lastOf(twice, some))), [
    false,
    true,
  ]);
  // Results are stored by name there: of what is long, compiling would take too long.
  const chain = (length: number): Case => (s) => [
    Array.from({ length }).reduce<Tensor>((x) => add(mul(x, x), 1), conv(s)),
  ];
  assertEquals([8, 16].map((length) => hasEpilogue(lastOf(chain(length)))), [true, false]);
});

Deno.test("products with the same epilogue share a dispatch on CPU adapters", () => {
  const twins: Case = (s) => {
    const weight = s.tensor(8, 5, 3, 3), each = s.tensor(8);
    return [0, 1].flatMap(() => {
      const y = conv2d(inTexels(s, 2, 5, 8, 8), weight, { padding: 1 });
      const x = relu(add(y, reshape(each, [1, 8, 1, 1])));
      return [matmul(reshape(x, [2, 512]), s.tensor(512, 3)), square(permute(x, [1, 0, 2, 3]))];
    });
  };
  const { variables, ...program } = trace(twins);
  variables.forEach((variable) => variable.destroy());
  const dispatches = dispatchesOf(program, { ...target(16), cpu: true, images: true });
  const shared = dispatches.filter(({ instances, variant }) => instances && hasEpilogue(variant));
  assertEquals(shared.length, 1, `${dispatches.map(({ variant }) => variant)}`);
});

Deno.test("what a shader needs enabled comes first", () => {
  const { variables, ...program } = trace((s) => [cast(mul(conv(s), 2), "f16")]);
  const [dispatch] = dispatchesOf(program, target(8)).slice(-1);
  assert(hasEpilogue(dispatch.variant) && /^(\/\/.*\n|\s)*enable f16;/.test(dispatch.code));
  variables.forEach((variable) => variable.destroy());
});

const programs = randomCases(21);

programs.forEach((make, at) => {
  Deno.test(`random program ${at} and its gradients: no more kernels, the same results`, async () => {
    for (const variant of ["direct", "tiled 16x64"]) {
      const { on, off } = await compare(make, variant);
      assert(on.length <= off.length, `${on} instead of ${off}`);
    }
  });
});

Deno.test("random programs have epilogues", () => {
  const epilogues = programs.flatMap((make) => {
    const { variables, ...program } = trace(make);
    variables.forEach((variable) => variable.destroy());
    return dispatchesOf(program, target(8)).filter(({ variant }) => hasEpilogue(variant));
  });
  assert(epilogues.length >= programs.length, `${epilogues.length} epilogues`);
});

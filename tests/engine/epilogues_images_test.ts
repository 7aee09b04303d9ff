// Epilogues of products on images, which CPU adapters have: their results lie in texels, and not each pays.

import { assert, assertEquals } from "@std/assert";
import {
  add,
  conv2d,
  grad,
  gt,
  leakyRelu,
  matmul,
  mul,
  permute,
  pixelShuffle,
  relu,
  reshape,
  square,
  sum,
  tanh,
  type Tensor,
  where,
} from "../../engine/mod.ts";
import type { Passes } from "../../engine/compile/passes.ts";
import type { Target } from "../../engine/compile/lower.ts";
import { targetOf } from "../../engine/compile/plan.ts";
import { dispatchesOf } from "../../engine/compile/sites.ts";
import { type Case, compareWithout, type Source, trace } from "./cases.ts";
import { device } from "./device.ts";
import { adam, beside, bias, conv, fused, hasEpilogue, updated } from "./epilogue_cases.ts";

const gpu = await device();

/** A target like llvmpipe. */
const cpu: Target = {
  ...targetOf(gpu),
  ...{ cpu: true, images: true, choose: undefined },
  limits: { ...targetOf(gpu).limits, maxStorageBuffersPerShaderStage: 16 },
};

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
      const { on, off } = await compareWithout("epilogues", make, { variant });
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

/** Kernels are counted, of which a dispatch may have several. */
const apart: Partial<Passes> = { join: false, instances: false };

for (const [name, make] of Object.entries(texels)) {
  Deno.test(`${name}: no more kernels, the same results`, async () => {
    const { on, off } = await compareWithout("epilogues", make, { passes: apart });
    const copies = on.filter((kernel) => /^pointwise copy[ |copy]*$/.test(kernel)).length;
    // Without, an operand is packed of what it is computed from.
    assert(on.length - copies <= off.length && on.some(hasEpilogue), `${on} instead of ${off}`);
  });
}

for (const [name, make] of Object.entries({ ...fused, ...beside, ...deep })) {
  Deno.test(`${name}, in the form that comes first: the same results`, async () => {
    const { on, off } = await compareWithout("epilogues", make, { passes: apart });
    const copies = on.filter((kernel) => kernel.includes("copy")).length;
    assert(on.length - copies <= off.length, `${on} instead of ${off}`);
  });
}

Deno.test("on CPU adapters an epilogue is what pays", () => {
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
  const dispatches = dispatchesOf(program, cpu);
  const shared = dispatches.filter(({ instances, variant }) => instances && hasEpilogue(variant));
  assertEquals(shared.length, 1, `${dispatches.map(({ variant }) => variant)}`);
});

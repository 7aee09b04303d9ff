// Prologues: operands that are computed where a product's kernels load them must be what would have been stored,
// and zero where the product pads them.

import { assert, assertEquals, assertLess } from "@std/assert";
import {
  add,
  batchNorm,
  cast,
  conv2d,
  convTranspose2d,
  div,
  exp,
  flip,
  Generator,
  grad,
  leakyRelu,
  matmul,
  mul,
  permute,
  pixelShuffle,
  relu,
  reshape,
  sigmoid,
  slice,
  square,
  sub,
  sum,
  tanh,
  type Tensor,
  tensor,
  type Variable,
} from "../../engine/mod.ts";
import type { Target } from "../../engine/compile/lower.ts";
import type { Passes } from "../../engine/compile/passes.ts";
import { Plan, targetOf } from "../../engine/compile/plan.ts";
import { dispatchesOf } from "../../engine/compile/sites.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { withBindings } from "../../engine/variable.ts";
import { countPlan } from "../../bench/plans.ts";
import { type WorkloadName, workloads } from "../../bench/workloads.ts";
import { breadth } from "../breadth.ts";
import { type Case, compareWithout, randomCases, type Source, trace } from "./cases.ts";
import { device } from "./device.ts";

const gpu = await device();

/** Whether a kernel computes an operand. */
const hasPrologue = (kernel: string): boolean => / of (?!\d)/.test(kernel);

/** Forms that pack their operands, and whatever is chosen where nothing is forced. */
const variants = [undefined, "image", "winograd 2", "winograd 4"];

interface Shapes {
  readonly batch?: number;
  readonly channels?: readonly [number, number];
  readonly size?: readonly [number, number];
  readonly kernel?: number;
  readonly stride?: number;
  readonly dilation?: number;
}

/** An operand of a convolution, and its weight. */
function operands(source: Source, shapes: Shapes = {}): { x: Tensor; weight: Tensor } {
  const { batch = 3, channels: [from, to] = [5, 7], size = [7, 9], kernel = 3 } = shapes;
  return {
    x: source.tensor(batch, from, ...size),
    weight: source.tensor(to, from, kernel, kernel),
  };
}

/** A convolution of what `make` makes of its operand; where the padding is zero, `make` of zero is not. */
const conv = (make: (x: Tensor, source: Source) => Tensor, shapes: Shapes = {}): Case => (s) => {
  const { x, weight } = operands(s, shapes), { stride = 1, dilation = 1 } = shapes;
  return [conv2d(make(x, s), weight, { padding: 1, stride, dilation })];
};

const perChannel = (s: Source, { shape }: Tensor): Tensor =>
  reshape(s.tensor(shape[1]), [1, shape[1], 1, 1]);

/** Cases in which each operand named is computed where it is packed. */
const fused: Readonly<Record<string, Case>> = {
  "an exponential": conv((x) => exp(x)),
  "an activation of a scaled and shifted operand": conv((x, s) =>
    leakyRelu(add(mul(x, perChannel(s, x)), perChannel(s, x)), { negativeSlope: 0.2 })
  ),
  "one image": conv((x) => exp(x), { batch: 1 }),
  "images that fill texels": conv((x) => exp(x), { batch: 8, channels: [8, 8], size: [8, 8] }),
  "one channel, and a plane of one row": conv((x) => exp(x), { channels: [1, 3], size: [1, 6] }),
  "stride 2": conv((x) => exp(x), { stride: 2, kernel: 4, size: [9, 6] }),
  "dilation 2": conv((x) => exp(x), { dilation: 2 }),
  "pixelShuffle": conv((x, s) => {
    const large = s.tensor(2, 20, 4, 5);
    return mul(relu(add(pixelShuffle(large, 2), perChannel(s, x))), 2);
  }),
  "what is read backwards, and in part": conv((x, s) =>
    add(flip(slice(s.tensor(3, 5, 8, 9), [null, null, [1, 8]]), [2]), x)
  ),
  "noise": conv((x) => mul(x, new Generator(3).uniform(x.shape))),
  "bytes": (s) => {
    const numbers = Uint8Array.from({ length: 2 * 3 * 4 * 8 }, (_, i) => i * 37 % 256);
    const pixels = sub(div(cast(tensor(numbers, [2, 3, 4, 8]), "f32"), 127.5), 1);
    return [conv2d(add(pixels, s.tensor(2, 3, 4, 8)), s.tensor(2, 3, 3, 3), { padding: 1 })];
  },
  "a transposed convolution": (s) => {
    const x = s.tensor(2, 6, 4, 5), weight = s.tensor(6, 5, 4, 4);
    return [convTranspose2d(exp(x), weight, { stride: 2, padding: 1 })];
  },
  "a matrix product": (s) => [matmul(tanh(s.tensor(9, 21)), s.tensor(21, 12))],
  "both operands of a matrix product": (s) => [
    matmul(exp(s.tensor(9, 21)), mul(s.tensor(21, 12), s.tensor(12))),
  ],
  "an operand as both": (s) => {
    const y = tanh(s.tensor(10, 10));
    return [matmul(y, y)];
  },
  "a transposed operand": (s) => [
    matmul(tanh(permute(s.tensor(21, 9), [1, 0])), s.tensor(12, 21), { transposeB: true }),
  ],
  "an operand in another shape": (s) => {
    const x = s.tensor(5, 6, 2, 3);
    return [matmul(reshape(mul(x, perChannel(s, x)), [5, 36]), s.tensor(36, 4))];
  },
  "a batch along two axes, whose steps lead from one to the next": (s) => {
    const x = mul(s.tensor(2, 3, 5, 7), s.tensor(3, 1, 1));
    return [matmul(x, s.tensor(2, 3, 7, 4))];
  },
  "a shared operand": (s) => [matmul(s.tensor(3, 5, 7), exp(s.tensor(7, 9)))],
  "an operand of which a column is missing": (
    s,
  ) => [matmul(exp(slice(s.tensor(9, 22), [null, [1, 22]])), s.tensor(21, 12))],
  "batch norm and an activation between two products": (s) => {
    // So large that the statistics share no dispatch, which would fold them by other threads.
    const { x, weight } = operands(s, { channels: [3, 8], size: [24, 28], batch: 4 });
    const y = conv2d(x, weight, { padding: 1 });
    const { output } = batchNorm(y, { weight: s.tensor(8), bias: s.tensor(8) });
    return [conv2d(relu(output), s.tensor(5, 8, 3, 3), { padding: 1 })];
  },
  "batch norm and an activation before a layer to a picture": (s) => {
    const { x, weight } = operands(s, { channels: [3, 16], size: [24, 32], batch: 4 });
    const y = conv2d(x, weight, { padding: 1 });
    const { output } = batchNorm(y, { weight: s.tensor(16), bias: s.tensor(16) });
    return [conv2d(relu(output), s.tensor(3, 16, 3, 3), { padding: 1 })];
  },
};

for (const [name, make] of Object.entries(fused)) {
  Deno.test(`${name}: computed where it is packed, the same results`, async () => {
    for (const variant of variants) {
      // Kernels are counted, of which a dispatch may have several.
      const passes = { join: false, instances: false };
      const { on, off } = await compareWithout("prologues", make, { variant, passes });
      const copies = on.filter((kernel) => /^pointwise copy[ |copy]*$/.test(kernel)).length;
      assert(on.length <= off.length + copies, `${variant}: ${on} instead of ${off}`);
      if (gpu.adapter.cpu && gpu.images) assert(on.some(hasPrologue), `${variant}: ${on}`);
      assert(!off.some(hasPrologue), `${off}`);
    }
  });
}

Deno.test("a sum of an operand's elements computes them, too", async () => {
  const { on, off } = await compareWithout("prologues", (s) => {
    const y = exp(s.tensor(99, 21));
    return [sum(y, { dim: 1 }), matmul(y, s.tensor(21, 12))];
  });
  if (!gpu.adapter.cpu || !gpu.images) return;
  assert(on.some(hasPrologue) && !on.includes("pointwise exp"), `${on} instead of ${off}`);
  assert(on.some((kernel) => /^reduce (exp sum|sum exp)$/.test(kernel)), `${on}`);
});

/** Cases whose operands have to be stored, or are, for others need them. */
const stored: Readonly<Record<string, Case>> = {
  "an operand that is a result, too": (s) => {
    const y = exp(s.tensor(9, 21));
    return [y, matmul(y, s.tensor(21, 12))];
  },
  "an operand of which others read a part": (s) => {
    const y = exp(s.tensor(9, 21));
    return [sum(slice(y, [[0, 4]])), matmul(y, s.tensor(21, 12))];
  },
  "an operand that is what it is": (s) => [matmul(s.tensor(9, 21), s.tensor(21, 12))],
  "a product's results": (
    s,
  ) => [matmul(matmul(s.tensor(9, 21), s.tensor(21, 12)), s.tensor(12, 5))],
  "a variable's next value": (s) => {
    const state = s.variable(9, 9);
    state.assign(tanh(state.value));
    return [matmul(state.value, s.tensor(9, 4))];
  },
};

for (const [name, make] of Object.entries(stored)) {
  Deno.test(`${name}: stored, the same results`, async () => {
    for (const variant of [undefined, "image"]) {
      const { on, off } = await compareWithout("prologues", make, { variant });
      assertEquals(on, off);
    }
  });
}

Deno.test("forms that read their operands themselves have them stored", async () => {
  for (const variant of ["direct", "tiled 32x32", "winograd 2 tiled 32x32"]) {
    const { on, off } = await compareWithout("prologues", fused["an exponential"], { variant });
    assertEquals(on, off);
  }
});

/** Nets that learn, whose gradients read operands, too. */
const learning: Readonly<Record<string, Case>> = {
  "a product of an activation, and the mask on the way back": (s) => {
    const { x, weight } = operands(s);
    const y = relu(conv2d(x, weight, { padding: 1 }));
    const z = conv2d(y, s.tensor(4, 7, 3, 3), { padding: 1 });
    return [...grad(sum(square(z)), [x, weight])];
  },
  "batch norm forward and backward": (s) => {
    const { x, weight } = operands(s, { channels: [3, 8], size: [8, 8], batch: 4 });
    const gain = s.tensor(8);
    const { output } = batchNorm(conv2d(x, weight, { padding: 1 }), { weight: gain });
    const y = leakyRelu(output, { negativeSlope: 0.2 });
    const z = conv2d(y, s.tensor(5, 8, 4, 4), { stride: 2, padding: 1 });
    return [...grad(sum(square(z)), [x, weight, gain])];
  },
  "weights that are divided by their norm, and updated": (s) => {
    const weight = s.variable(7, 5, 3, 3), gain = s.variable(5);
    const x = s.tensor(3, 5, 7, 9);
    const scaled = mul(sigmoid(x), reshape(gain.value, [1, 5, 1, 1]));
    const y = conv2d(scaled, div(weight.value, sum(square(weight.value))), { padding: 1 });
    const [dw, dg] = grad(sum(square(y)), [weight.value, gain.value]);
    weight.assign(sub(weight.value, mul(dw, 0.1)));
    gain.assign(sub(gain.value, mul(dg, 0.1)));
    return [conv2d(mul(x, reshape(gain.value, [1, 5, 1, 1])), weight.value, { padding: 1 })];
  },
};

for (const [name, make] of Object.entries(learning)) {
  Deno.test(`${name}: the same results`, async () => {
    // What products do to their results leaves less to do to their operands.
    for (const epilogues of [false, true]) {
      for (const variant of variants) {
        const passes = { epilogues };
        const { on, off } = await compareWithout("prologues", make, { variant, passes });
        assert(on.length <= off.length, `${variant}: ${on} instead of ${off}`);
        const expected = gpu.adapter.cpu && gpu.images && !epilogues;
        if (expected) assert(on.some(hasPrologue), `${variant}: ${on}`);
      }
    }
  });
}

/** A step of a workload, with all that it learns, to the bit; and how many operands it computes. */
async function learn(workload: WorkloadName, passes: Partial<Passes>) {
  const { step, inputs } = workloads[workload].make(2), assignments = new Map<Variable, Tensor>();
  const outputs = Object.values(withBindings(assignments, () => step(...inputs(0))));
  const plan = new Plan(gpu, { name: workload, outputs, assignments }, { passes });
  plan.run();
  const variables = [...assignments.keys()];
  const kernels = plan.dispatches.flatMap(({ variant }) => variant.split(" | "));
  const buffers = [...plan.outputs, ...variables.map((variable) => variable.bufferOn(gpu))];
  const bits = (await readBuffers(gpu, buffers)).map((bytes) => new Uint32Array(bytes));
  plan.destroy();
  variables.forEach((variable) => variable.destroy());
  return { bits, prologues: kernels.filter(hasPrologue).length };
}

const learned = [["double-backward", 1], ["acgan32", 2]] as const;

for (const [workload, least] of learned.slice(0, breadth({ gate: 1, all: 2 }))) {
  Deno.test(`a step of ${workload} is the same to the bit, with operands computed`, async () => {
    const off = await learn(workload, { prologues: false, epilogues: false });
    assertEquals(off.prologues, 0);
    for (const epilogues of [false, true]) {
      const on = await learn(workload, { epilogues });
      if (!gpu.adapter.cpu) return;
      on.bits.forEach((bits, at) => assertEquals(bits, off.bits[at]));
      if (gpu.images && !epilogues) assert(on.prologues >= least, `${on.prologues} prologues`);
    }
  });
}

const programs = randomCases(23, { count: breadth({ gate: 4, all: 16 }) });

programs.forEach((make, at) => {
  Deno.test(`random program ${at} and its gradients: the same results with operands computed`, async () => {
    for (const variant of [undefined, "image"]) {
      await compareWithout("prologues", make, { variant });
    }
  });
});

/** A CPU adapter with so many buffers to a kernel. */
const target = (maxStorageBuffersPerShaderStage: number): Target => ({
  ...targetOf(gpu),
  ...{ cpu: true, images: true },
  limits: { ...targetOf(gpu).limits, maxStorageBuffersPerShaderStage },
  choose: undefined,
});

Deno.test("no kernel is bound to more buffers than a device allows", () => {
  const wide: Case = (s) => {
    const [first, ...others] = [1, 2, 3, 4, 5].map(() => s.tensor(9, 21));
    return [matmul(others.reduce((x, y) => add(x, y), first), s.tensor(21, 12))];
  };
  const { variables, ...program } = trace(wide);
  const [few, enough] = [5, 6].map((buffers) => {
    const dispatches = dispatchesOf(program, target(buffers), { passes: { join: false } });
    assert(
      dispatches.every(({ slots }) =>
        slots.filter((slot) => slot.constructor === Object).length <= buffers
      ),
    );
    return dispatches.map(({ variant }) => variant);
  });
  // One buffer is for the kernel's own: with fewer, a part of the sum is stored.
  assertEquals([few.length, few[0], enough.length], [4, "add*3", 3]);
  assert(hasPrologue(few[1]) && hasPrologue(enough[0]));
  variables.forEach((variable) => variable.destroy());
});

Deno.test("training passes over less memory, drawing and training need hardly more dispatches", () => {
  // What products do to their results need not be done where it is read.
  const epilogues = false;
  const counts = (["moe-sample", "acgan32"] as const).map((workload) =>
    [{ epilogues }, { epilogues, prologues: false }, {}].map((passes) =>
      countPlan(workload, { batch: 16, cpu: true, passes })
    )
  );
  const [[moe, moeWithout, moeBoth], [acgan, acganWithout, acganBoth]] = counts;
  for (const [both, one] of [[moeBoth, moe], [acganBoth, acgan]]) {
    assertLess(both.bytes, one.bytes);
    assertLess(both.dispatches, one.dispatches);
  }
  assertLess(acgan.bytes, acganWithout.bytes);
  // Small numbers are copied in dispatches of their own.
  assertLess(moe.dispatches, moeWithout.dispatches + 4);
  assertLess(acgan.dispatches, acganWithout.dispatches + 4);
});

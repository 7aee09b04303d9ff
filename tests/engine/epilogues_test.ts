// Epilogues: what a product's kernel makes of its results must be what a kernel after it would have made, in
// fewer dispatches.

import { assert, assertEquals } from "@std/assert";
import {
  add,
  cast,
  conv2d,
  div,
  expand,
  matmul,
  mul,
  permute,
  relu,
  reshape,
  slice,
  sub,
  sum,
  tanh,
} from "../../engine/mod.ts";
import type { Target } from "../../engine/compile/lower.ts";
import { targetOf } from "../../engine/compile/plan.ts";
import { dispatchesOf, sitesOf } from "../../engine/compile/sites.ts";
import { breadth } from "../breadth.ts";
import { type Case, compareWithout, randomCases, trace } from "./cases.ts";
import { device } from "./device.ts";
import { beside, bias, conv, fused, hasEpilogue } from "./epilogue_cases.ts";

const gpu = await device();

/** Runs a case with and without epilogues, whose results must be the same; gives both lists of kernels. */
const compare = (make: Case, variant: string): Promise<{ on: string[]; off: string[] }> =>
  compareWithout("epilogues", make, { variant });

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

Deno.test("what a shader needs enabled comes first", () => {
  const { variables, ...program } = trace((s) => [cast(mul(conv(s), 2), "f16")]);
  const [dispatch] = dispatchesOf(program, target(8)).slice(-1);
  assert(hasEpilogue(dispatch.variant) && /^(\/\/.*\n|\s)*enable f16;/.test(dispatch.code));
  variables.forEach((variable) => variable.destroy());
});

const programs = randomCases(21, { count: breadth({ gate: 5, all: 16 }) });

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

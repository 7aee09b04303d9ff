// What variables alone decide is computed once, and again after every way in which a variable can change.

import {
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import {
  add,
  compile,
  conv2d,
  Device,
  matmul,
  mul,
  read,
  relu,
  rsqrt,
  sum,
  tanh,
  Tensor,
  tensor,
  Variable,
} from "../../engine/mod.ts";
import { planOf } from "../../engine/compile/compile.ts";
import { hoistConstants } from "../../engine/compile/constants.ts";
import type { Launched } from "../../engine/compile/copies.ts";
import { shareInstances } from "../../engine/compile/instances.ts";
import {
  ArenaSlot,
  keptBytes,
  keptSlots,
  livenessBound,
  place,
  placementBytes,
  ScratchSlot,
  textureRows,
} from "../../engine/compile/memory.ts";
import { lower } from "../../engine/compile/lower.ts";
import { allPasses } from "../../engine/compile/passes.ts";
import { Plan, targetOf } from "../../engine/compile/plan.ts";
import type { Slot } from "../../engine/kernels/dispatch.ts";
import type { LeafOp } from "../../engine/op.ts";
import { ImageSlot } from "../../engine/kernels/image.ts";
import { TexelSlot } from "../../engine/kernels/texels.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { noise } from "../kernels/harness.ts";
import { device } from "./device.ts";

const gpu = await device();

const SPACE = { maxBytes: 2 ** 31, maxRows: 2 ** 14, reuse: true };

const buffer = (): Slot => ({ bytes: 16 });
const launch = (code: string, reads: Slot[], written: Slot[]): Launched => ({
  dispatch: {
    ...{ kernel: "k", variant: "v", shape: "s", code, slots: [...reads, ...written] },
    ...{ writes: written, workgroups: [1, 1, 1], flops: 0 },
  },
  written,
});
const codes = (launched: readonly Launched[], { constant }: { constant: boolean }): string[] =>
  launched.flatMap(({ dispatch }) =>
    (dispatch.constant ?? false) === constant ? dispatch.code : []
  );

Deno.test("what reads only what is given, or what is made of it, comes first", () => {
  const [weight, x, out] = [buffer(), buffer(), buffer()];
  const [packed, transformed, fromX] = [1, 2, 3].map(() => new ScratchSlot(16));
  const launched = [
    launch("x", [x], [fromX]),
    launch("pack", [weight], [packed]),
    launch("transform", [packed], [transformed]),
    launch("product", [transformed, fromX], [out]),
  ];
  const hoisted = hoistConstants(launched, { given: new Set([weight]) });
  assertEquals(codes(hoisted, { constant: true }), ["pack", "transform"]);
  assertEquals(codes(hoisted, { constant: false }), ["x", "product"]);
  // What only another constant reads need not live on.
  assertEquals([...keptSlots(hoisted.map(({ dispatch }) => dispatch))], [transformed]);
});

Deno.test("who reads scratch memory is not taken for who writes it", () => {
  const [weight, x, out] = [buffer(), buffer(), buffer()];
  const packed = new ScratchSlot(16), both = new ScratchSlot(16);
  const hoisted = hoistConstants([
    launch("pack", [weight], [packed]),
    // The compiler knows of this one only that it was not given either to read.
    { ...launch("product", [packed, x], [both]), written: [packed, both] },
    { ...launch("result", [both], [out]), written: [both, out] },
  ], { given: new Set([weight]) });
  assertEquals(codes(hoisted, { constant: true }), ["pack"]);
});

Deno.test("what is overwritten, or read outside, is computed in each run", () => {
  const [weight, written, x, out] = [buffer(), buffer(), buffer(), buffer()];
  const scale = new ArenaSlot(16);
  const hoisted = hoistConstants([
    launch("scale", [weight], [scale]),
    launch("in place", [x], [scale]),
    launch("result", [weight], [out]),
    launch("of a variable", [written], [new ScratchSlot(16)]),
    launch("update", [x], [written]),
  ], { given: new Set([weight, written]) });
  assertEquals(codes(hoisted, { constant: true }), []);
});

Deno.test("where there is not memory for all, the largest are computed in each run", () => {
  const sizes = [2 ** 27, 2 ** 20, 2 ** 26, 2 ** 27], out = buffer();
  const weights = sizes.map(buffer);
  const launched = sizes.flatMap((bytes, at) => {
    const packed = new ScratchSlot(bytes);
    return [
      launch(`pack ${at}`, [weights[at]], [packed]),
      launch(`product ${at}`, [packed, buffer()], [out]),
    ];
  });
  const hoisted = hoistConstants(launched, { given: new Set(weights) });
  assertEquals(codes(hoisted, { constant: true }), ["pack 1", "pack 2"]);
  const needed = livenessBound(launched.map(({ dispatch }) => dispatch));
  assertLessOrEqual(livenessBound(hoisted.map(({ dispatch }) => dispatch)), needed + 2 ** 27);
});

Deno.test("memory that is kept is nobody else's, before it is written or after it was read", () => {
  for (const make of [() => new ScratchSlot(1024), () => new ImageSlot(4096)]) {
    const [weight, x, out] = [buffer(), buffer(), buffer()];
    const [packed, kept, early, late] = [make(), make(), make(), make()];
    const hoisted = hoistConstants([
      launch("early", [x], [early]),
      launch("product", [early], [out]),
      launch("pack", [weight], [packed]),
      launch("transform", [packed], [kept]),
      launch("product", [kept, x], [out]),
      launch("late", [x], [late]),
      launch("product", [late], [out]),
    ], { given: new Set([weight]) });
    const dispatches = shareInstances(hoisted).map(({ dispatch }) => dispatch);
    const placement = place(dispatches, SPACE);
    const { of } = placement[kept instanceof ImageSlot ? "images" : "buffers"];
    const where = (slot: Slot): string => JSON.stringify(of.get(slot));
    for (const other of [early, late]) assertNotEquals(where(other), where(kept));
    assertEquals(where(early), where(late));
    assertEquals(keptBytes(dispatches), kept.bytes);
    assertEquals(placementBytes(placement), 2 * kept.bytes);
    assertEquals(livenessBound(dispatches), 2 * kept.bytes);
  }
});

Deno.test("constant dispatches join each other alone, and stay the first", () => {
  const [weights, x, out] = [buffer(), buffer(), buffer()];
  const sources = [weights, x, weights, weights];
  const texels = sources.map(() => new TexelSlot(16)), images = sources.map(() => new ImageSlot(4));
  const hoisted = hoistConstants([
    ...sources.map((source, at) => launch(`scale ${at}`, [source], [texels[at]])),
    ...sources.map((_, at) => launch("pack", [texels[at]], [images[at]])),
    launch("product", images, [out]),
  ], { given: new Set([weights]) });
  const joined = shareInstances(hoisted).map(({ dispatch }) => dispatch);
  assertEquals(
    joined.map(({ code, constant = false, instances = [] }) => [code, constant, instances.length]),
    [
      ...["scale 0", "scale 2", "scale 3"].map((code) => [code, true, 0] as const),
      // A dispatch has two instances at most: the third could take along that of x.
      ["pack", true, 1],
      ["pack", true, 0],
      ["scale 1", false, 0],
      ["pack", false, 0],
      ["product", false, 0],
    ],
  );
  assertEquals(keptSlots(joined), new Set([0, 2, 3].map((at) => images[at])));
});

const BATCH = 2, FROM = 5, TO = 8, SIDE = 9;

/** A convolution and a product by variables, and one by their scale: what there is in a net that draws. */
function net() {
  const filter = new Variable(noise(TO * FROM * 9, 1), [TO, FROM, 3, 3]);
  const matrix = new Variable(noise(TO * TO, 2), [TO, TO]);
  const variance = new Variable(noise(TO, 3).map(Math.abs), [1, TO, 1, 1]);
  const forward = (x: Tensor): Tensor => {
    const y = conv2d(x, filter, { padding: 1 });
    const z = relu(mul(y, rsqrt(add(variance, 1e-3))));
    return matmul(sum(z, { dim: [2, 3] }), matrix);
  };
  return { variables: { filter, matrix, variance }, forward };
}

const picture = (seed: number, batch = BATCH): Tensor =>
  tensor(noise(batch * FROM * SIDE * SIDE, seed), [batch, FROM, SIDE, SIDE]);

/** Bits of what the function gives without keeping anything. */
async function anew(forward: (x: Tensor) => Tensor, x: Tensor): Promise<Uint32Array> {
  const plan = new Plan(gpu, { name: "anew", outputs: [forward(x)], assignments: new Map() }, {
    passes: { constants: false },
  });
  plan.run();
  const [bytes] = await readBuffers(gpu, plan.outputs);
  plan.destroy();
  return new Uint32Array(bytes);
}

const bitsOf = async (result: Tensor): Promise<Uint32Array> =>
  new Uint32Array((await read([result]))[0].slice().buffer);

/** The dispatches that calls make. */
function counted(call: () => void): number {
  const { prototype } = GPUComputePassEncoder, { dispatchWorkgroups } = prototype;
  let count = 0;
  prototype.dispatchWorkgroups = function (...grid) {
    count++;
    return dispatchWorkgroups.apply(this, grid);
  };
  try {
    call();
  } finally {
    prototype.dispatchWorkgroups = dispatchWorkgroups;
  }
  return count;
}

Deno.test("a call skips what it computed from variables before, and gives the same bits", async () => {
  const { forward } = net(), draw = compile(forward), x = picture(10);
  const first = counted(() => draw(x));
  const { dispatches } = planOf(draw, [x]);
  const constant = dispatches.filter((each) => each.constant).length;
  assertEquals(first, dispatches.length);
  assertLess(0, constant);
  for (const seed of [11, 12, 13]) {
    const x = picture(seed), expected = await anew(forward, x);
    let result: Tensor;
    assertEquals(counted(() => result = draw(x)), dispatches.length - constant);
    assertEquals(await bitsOf(result!), expected);
  }
  const { kept, bytes } = draw.footprint(x);
  assertEquals(kept, keptBytes(dispatches));
  assertLess(0, kept);
  assertLessOrEqual(kept, bytes);
  const { adapter: { cpu } } = gpu, estimated = draw.estimate([x], { cpu });
  if (targetOf(gpu).images === cpu) assertEquals(estimated.kept, kept);
});

Deno.test("whatever changes a variable, the next call computes anew what is decided by it", async () => {
  const { variables: { filter, matrix, variance }, forward } = net(), draw = compile(forward);
  const train = compile(() => filter.assign(mul(filter, 0.5)));
  const plan = new Plan(gpu, {
    name: "train",
    outputs: [],
    assignments: new Map([[variance, add(variance, 1)]]),
  });
  const changes: (() => unknown)[] = [
    () => matrix.set(noise(TO * TO, 20)),
    () => filter.set(noise(TO * FROM * 9, 21)),
    () => variance.set(noise(TO, 22).map(Math.abs)),
    () => train(),
    () => (train(), train()),
    () => plan.run(),
    () => plan.measure({ repeats: 2 }),
    () => gpu.features.has("timestamp-query") || gpu.adapter.cpu ? plan.time() : plan.run(),
  ];
  const x = picture(23);
  for (const [at, change] of changes.entries()) {
    draw(x);
    await change();
    const expected = await anew(forward, x);
    assertEquals(await bitsOf(draw(x)), expected, `change ${at}`);
    const again = counted(() => draw(x));
    assertLess(again, planOf(draw, [x]).dispatches.length, `after change ${at}`);
    assertEquals(await bitsOf(draw(x)), expected, `after change ${at}`);
  }
  plan.destroy();
});

Deno.test("a variable that decides nothing that is kept may change before each call", () => {
  const weight = new Variable(noise(64, 1), [8, 8]), bias = new Variable(noise(8, 2), [1, 8]);
  const layer = compile((x) => add(matmul(x, weight), bias)), x = tensor(noise(24, 3), [3, 8]);
  layer(x);
  const always = counted(() => layer(x));
  const { dispatches } = planOf(layer, [x]);
  if (!dispatches.some(({ constant }) => constant)) return; // Not every product lays out its operands.
  bias.set(noise(8, 4));
  assertEquals(counted(() => layer(x)), always);
  weight.set(noise(64, 5));
  assertEquals(counted(() => layer(x)), dispatches.length);
});

Deno.test("functions share variables, each with what it keeps, over calls of several shapes", async () => {
  const { variables, forward } = net(), draw = compile(forward);
  const twice = compile((x) => mul(forward(x), 2));
  const train = compile(() => variables.matrix.assign(mul(variables.matrix, -1)));
  for (let round = 0; round < 6; round++) {
    for (const batch of round % 2 === 0 ? [1, 3, 4] : [4, 1]) {
      const x = picture(30 + 7 * round + batch, batch), expected = await anew(forward, x);
      assertEquals(await bitsOf(draw(x)), expected, `round ${round}, batch ${batch}`);
      const double = new Float32Array(expected.buffer).map((y) => 2 * y);
      assertEquals(await bitsOf(twice(x)), new Uint32Array(double.buffer), `round ${round}`);
    }
    if (round % 3 === 1) train();
  }
});

Deno.test("what is measured with a part of its work is computed anew", async () => {
  // A product of variables, laid out for another: what is laid out for itself is gone once it is computed.
  const [a, b] = [1, 2].map((seed) => new Variable(noise(64 ** 2, seed), [64, 64]));
  const forward = (x: Tensor): Tensor => matmul(x, matmul(a, b)),
    x = tensor(noise(640, 3), [10, 64]);
  const draw = compile(forward);
  draw(x);
  await planOf(draw, [x]).measure({ share: 1 / 16 });
  assertEquals(await bitsOf(draw(x)), await anew(forward, x));
});

Deno.test("what assigns variables keeps nothing, and an audit runs everything", () => {
  const { variables: { variance }, forward } = net(), x = picture(50);
  const step = compile((x) => {
    variance.assign(add(variance, 1));
    return forward(x);
  });
  step(x);
  assertEquals(planOf(step, [x]).dispatches.some(({ constant }) => constant), false);
  const plan = new Plan(gpu, { name: "net", outputs: [forward(x)], assignments: new Map() }, {
    audit: true,
  });
  assertEquals(plan.dispatches.some(({ constant }) => constant), false);
  plan.destroy();
});

/** What a caller fills. */
const inputOp: LeafOp = { name: "input", kind: "leaf" };

Deno.test("nothing is kept that no texture is high enough for", () => {
  const variable = (...shape: number[]): Variable =>
    new Variable(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
  let y = new Tensor(inputOp, [], {}, [64, 64], "f32");
  for (let layer = 0; layer < 4; layer++) {
    const [a, b] = [variable(64, 64, 2), variable(64, 64, 2)];
    y = tanh(mul(matmul(y, variable(64, 64)), sum(mul(a, b), { dim: 2 })));
  }
  const keptAt = (maxTextureDimension2D: number): { kept: boolean; texels: number } => {
    const slotOf = ({ size }: { size: number }): Slot => ({ bytes: 4 * size });
    const { dispatches, placement } = lower(
      { name: "layers", outputs: [y], assignments: new Map() },
      {
        target: { cpu: true, images: true, limits: { ...gpu.limits, maxTextureDimension2D } },
        memory: { leaf: slotOf, variable: slotOf, output: slotOf },
        passes: { ...allPasses, join: false, epilogues: false },
      },
    );
    return { kept: keptBytes(dispatches) > 0, texels: textureRows(placement).texels };
  };
  assertEquals(keptAt(3), { kept: true, texels: 3 });
  assertEquals(keptAt(2), { kept: false, texels: 1 });
});

for (const variant of ["winograd 2 tiled", "winograd 4 tiled", "tiled", "direct"]) {
  Deno.test(`kernels for GPUs keep what they transform, and give the same bits: ${variant}`, async () => {
    const x = new Tensor(inputOp, [], {}, [BATCH, FROM, SIDE, SIDE], "f32");
    const source = gpu.createBuffer(4 * x.size, { purpose: "input" });
    const run = async (constants: boolean, join: boolean): Promise<Uint32Array[]> => {
      const filters = [FROM, TO].map((from, at) =>
        new Variable(noise(TO * from * 9, at), [TO, from, 3, 3])
      );
      const rows = new Variable(noise(6 * TO, 3), [1, TO, 1, 6]);
      const scale = rsqrt(sum(mul(rows, rows), { dim: 3, keepdim: true }));
      const y = relu(mul(conv2d(x, filters[0], { padding: 1 }), scale));
      const outputs = [add(mul(conv2d(y, filters[1], { padding: 1 }), scale), y)];
      const plan = new Plan(gpu, { name: "net", outputs, assignments: new Map() }, {
        ...{ bound: new Map([[x, source]]), variant, passes: { constants, join } },
        target: { cpu: false },
      });
      const kept = plan.dispatches.filter(({ constant }) => constant)
        .flatMap(({ variant }) => variant.split(" | "));
      const transforms = variant.startsWith("winograd") ? 2 : 0;
      assertEquals(
        kept.filter((each) => each.endsWith(" weight")).length,
        constants ? transforms : 0,
      );
      assertEquals(kept.length, constants ? transforms + 1 : 0);
      const results: Uint32Array[] = [];
      for (const round of [0, 1, 2, 3, 4]) {
        if (round === 2) filters[0].set(noise(filters[0].size, 30));
        if (round === 3) filters[1].set(noise(filters[1].size, 31));
        if (round === 4) rows.set(noise(6 * TO, 32));
        gpu.upload(source, noise(x.size, 10 + round));
        plan.run();
        results.push(new Uint32Array((await readBuffers(gpu, plan.outputs))[0]));
      }
      plan.destroy();
      return results;
    };
    const expected = await run(false, false);
    assertEquals(await run(true, false), expected);
    assertEquals(await run(true, true), expected);
    gpu.destroyBuffer(source);
  });
}

for (const again of [false, true]) {
  const how = again ? "and set again" : "for good";
  Deno.test(`a plan whose variable was destroyed ${how} fails, and does not use what it kept`, async () => {
    const own = await Device.open();
    const weight = new Variable(noise(64, 1), [8, 8]), x = tensor(noise(16, 2), [2, 8]);
    const layer = compile((x) => matmul(x, weight), { device: own });
    layer(x);
    await own.idle();
    weight.destroy();
    if (again) weight.set(noise(64, 3));
    await assertRejects(() => read([layer(x)], { device: own }), Error, "WebGPU");
    own.destroy();
  });
}

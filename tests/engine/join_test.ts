// Kernels that do not need each other in one dispatch, as GPUs and as CPU adapters run them: which may be joined, in
// what turn, and that each still computes the same bits.

import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import {
  Adam,
  add,
  conv2d,
  grad,
  leakyRelu,
  mean,
  mul,
  permute,
  relu,
  softplus,
  sum,
  type Tensor,
  tensor,
  Variable,
} from "../../engine/mod.ts";
import type { Launched } from "../../engine/compile/copies.ts";
import { joinDispatches } from "../../engine/compile/join.ts";
import { canJoin, joinable } from "../../engine/compile/joint.ts";
import type { Target } from "../../engine/compile/lower.ts";
import { livenessBound, place, ScratchSlot } from "../../engine/compile/memory.ts";
import { readModule } from "../../engine/compile/module.ts";
import type { Passes } from "../../engine/compile/passes.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { declareSlots } from "../../engine/kernels/access.ts";
import type { Dispatch, KernelLimits, Slot } from "../../engine/kernels/dispatch.ts";
import { IMAGE_WIDTH, ImageSlot } from "../../engine/kernels/image.ts";
import { TexelSlot } from "../../engine/kernels/texels.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { withBindings } from "../../engine/variable.ts";
import { breadth } from "../breadth.ts";
import { noise } from "../kernels/harness.ts";
import { device } from "./device.ts";
import { sample } from "./random_graphs.ts";

const gpu = await device();

const limits: KernelLimits = {
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupStorageSize: 49_152,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBuffersPerShaderStage: 64,
  maxBufferSize: 2 ** 31 - 4,
};

const gpuTarget = { cpu: false, limits };

/** What a kernel is like. */
interface Like {
  readonly kernel?: string;
  readonly workgroups?: number;
  readonly threads?: number;
  /** The type of memory that a workgroup shares. */
  readonly shared?: string;
  readonly type?: string;
  readonly constant?: boolean;
}

/** A dispatch that reads all but the last slot, and writes that. */
function launch(name: string, slots: readonly Slot[], like: Like = {}): Launched {
  const { kernel = "conv2d", workgroups = 1000, threads = 64, shared, type = "f32" } = like;
  const code = [
    ...slots.map((_, at) =>
      `@group(0) @binding(${at}) var<storage, read_write> b${at}: array<${type}>;`
    ),
    ...(shared === undefined ? [] : [`var<workgroup> row: ${shared};`]),
    `@compute @workgroup_size(${threads}) fn main() { /* ${name} */ }`,
  ].join("\n");
  const names = { kernel, variant: name, shape: "s", code, constant: like.constant };
  const dispatch: Dispatch = { ...names, slots, workgroups: [workgroups, 1, 1], flops: 7 };
  return { dispatch, written: slots.slice(-1) };
}

const scratch = (bytes = 64): Slot => new ScratchSlot(bytes);
const variable = (bytes = 64): Slot => ({ bytes });
const ran = (launched: readonly Launched[], some: Partial<KernelLimits> = {}): string[] =>
  joinDispatches(launched, { cpu: false, limits: { ...limits, ...some } }).map(({ variant }) =>
    variant
  );

Deno.test("what does not need each other runs together, and what does in turn", () => {
  const [a, b, c, d, e] = Array.from({ length: 5 }, () => scratch());
  assertEquals(ran([launch("k", [a, b]), launch("m", [c, d])]), ["k | m"]);
  assertEquals(ran([launch("k", [a, b]), launch("k", [c, d])]), ["2 x k"]);
  assertEquals(ran([launch("k", [a, b]), launch("m", [b, c])]), ["k", "m"]);
  assertEquals(ran([launch("k", [a, b]), launch("m", [b, c]), launch("n", [a, d])]), [
    "k | n",
    "m",
  ]);
  // Two who read the same do not wait for each other.
  assertEquals(ran([launch("k", [a, b]), launch("m", [b, c]), launch("n", [b, d])]), [
    "k",
    "m | n",
  ]);
  const [joined] = joinDispatches([launch("k", [a, b]), launch("m", [a, e])], gpuTarget);
  assertEquals([joined.slots, joined.workgroups, joined.flops], [[a, b, e], [2000, 1, 1], 14]);
});

Deno.test("a variable is overwritten when all who read its old value have", () => {
  const weight = variable(), [a, b, c] = [scratch(), scratch(), scratch()];
  assertEquals(ran([launch("read", [weight, a]), launch("write", [b, weight])]), ["read", "write"]);
  const again = [
    launch("write", [b, weight]),
    launch("read", [weight, a]),
    launch("other", [b, c]),
    launch("rewrite", [b, weight]),
  ];
  assertEquals(ran(again), ["write | other", "read", "rewrite"]);
  // Scratch memory is written once: those who read it may be thought to write it, and do not wait for each other.
  const readers = [launch("make", [weight, a]), launch("k", [a, b]), launch("m", [a, c])];
  const unsure = readers.map(({ dispatch }) => ({ dispatch, written: dispatch.slots }));
  assertEquals(ran(unsure.map((each, at) => at === 0 ? readers[0] : each)), ["make", "k | m"]);
});

Deno.test("whoever has time waits for his like", () => {
  // A short chain is written first, a long one that ends alike after it.
  const chain = (kinds: readonly string[]): Launched[] => {
    const slots = Array.from({ length: kinds.length + 1 }, () => scratch());
    return kinds.map((kind, at) =>
      launch(kind, [slots[at], slots[at + 1]], {
        shared: `array<f32, ${64 * kind.charCodeAt(0)}>`,
        threads: kind === "z" ? 32 : 64,
      })
    );
  };
  assertEquals(ran([...chain(["k", "m"]), ...chain(["z", "z", "k", "m"])]), [
    "z",
    "z",
    "2 x k",
    "2 x m",
  ]);
});

Deno.test("kernels are joined as far as a GPU can bind, share and read them", () => {
  const pair = (first: Like = {}, second: Like = first): Launched[] => [
    launch("k", [scratch(), scratch()], first),
    launch("m", [scratch(), scratch()], second),
  ];
  const joins = (launched: readonly Launched[], some?: Partial<KernelLimits>): boolean =>
    ran(launched, some).length === 1;
  assert(joins(pair(), { maxStorageBuffersPerShaderStage: 4 }));
  assert(!joins(pair(), { maxStorageBuffersPerShaderStage: 3 }));
  const same = scratch();
  const both = [launch("k", [same, scratch()]), launch("m", [same, scratch()])];
  assert(joins(both, { maxStorageBuffersPerShaderStage: 3 }));
  assert(!joins([both[0], launch("m", [same, scratch()], { type: "vec4f" })]), "of two types");
  // Memory that they want alike is the same, other memory comes on top.
  const [little, more] = ["array<f32, 1000>", "array<f32, 1001>"].map((shared) => ({ shared }));
  assert(joins(pair(little), { maxComputeWorkgroupStorageSize: 4000 }));
  assert(!joins(pair(little, more), { maxComputeWorkgroupStorageSize: 8000 }));
  assert(joins(pair(little, more), { maxComputeWorkgroupStorageSize: 8004 }));
  // Threads that share memory come in workgroups of the size that they are written for.
  assert(!joins(pair(little, { ...little, threads: 128 })));
  assert(joins(pair({ threads: 256 }, { threads: 64 })));
  const [first] = joinDispatches(pair({ threads: 256 }, { threads: 64 }), gpuTarget);
  assertEquals(first.workgroups, [5000, 1, 1]);
  const long = (count: number): Launched[] =>
    Array.from({ length: 3 }, () => launch("x".repeat(count), [scratch(), scratch()]));
  assertEquals([ran(long(20_000)).length, ran(long(30_000)).length], [1, 2]);
  const [folded] = joinDispatches(pair({ workgroups: 60_000 }), gpuTarget);
  assertEquals(folded.workgroups, [60_000, 2, 1]);
});

Deno.test("a kernel with many workgroups is not joined with one that asks for more than itself", () => {
  const tiles = { shared: "array<f32, 64>" }, fold = { kernel: "reduce", ...tiles };
  const pointwise = { kernel: "pointwise" }, transform = {};
  const can = (many: Like, few: Like, workgroups: number): boolean => {
    const both = [
      launch("k", [scratch(), scratch()], many),
      launch("m", [scratch(), scratch()], {
        ...few,
        workgroups,
      }),
    ];
    return canJoin(
      both.map(({ dispatch }) => joinable(dispatch, readModule(dispatch.code))),
      gpuTarget,
    );
  };
  const kinds = [tiles, transform, pointwise, fold];
  assertEquals(kinds.map((many) => kinds.map((few) => Number(can(many, few, 100)))), [
    [1, 1, 1, 1],
    [0, 1, 1, 0],
    [0, 1, 1, 0],
    [0, 0, 1, 1],
  ]);
  assertEquals(kinds.map((many) => kinds.map((few) => Number(can(many, few, 1000)))), [
    [1, 0, 0, 0],
    [0, 1, 1, 0],
    [0, 1, 1, 0],
    [0, 0, 0, 1],
  ]);
  assert(can({ ...tiles, workgroups: 100 }, transform, 100), "few and few");
});

Deno.test("those that are few, or work the longest, begin first", () => {
  const slot = scratch();
  const timed = (name: string, flops: number, workgroups = 1000): Launched => {
    const { dispatch, written } = launch(name, [slot, scratch()], { workgroups });
    return { dispatch: { ...dispatch, flops }, written };
  };
  assertEquals(ran([timed("k", 1e6), timed("m", 2e6), timed("few", 1, 3), timed("n", 0)]), [
    "few | m | k | n",
  ]);
});

Deno.test("what is constant is joined among itself, and comes first", () => {
  const [weight, x] = [variable(), variable()];
  const kept = [scratch(), scratch()], out = [scratch(), scratch()];
  const launched = [
    ...kept.map((slot, at) => launch(`pack ${at}`, [weight, slot], { constant: true })),
    ...out.map((slot, at) => launch(`product ${at}`, [x, slot])),
    launch("sum", [...kept, ...out, variable()]),
  ];
  const dispatches = joinDispatches(launched, gpuTarget);
  assertEquals(dispatches.map(({ variant, constant = false }) => [variant, constant]), [
    ["pack 0 | pack 1", true],
    ["product 0 | product 1", false],
    ["sum", false],
  ]);
});

/** As many chains as there are sizes, each makes one large thing and then makes it small, for the last to read. */
function chains(sizes: readonly number[]): Launched[] {
  const x = variable(), small = sizes.map(() => scratch());
  return [
    ...sizes.flatMap((bytes, at) => {
      const large = scratch(bytes);
      return [launch("make", [x, large]), launch("shrink", [large, small[at]])];
    }),
    launch("end", [...small, variable()]),
  ];
}

Deno.test("nothing comes so early that too much memory would be needed at once", () => {
  const some = 2 ** 27;
  const run = (sizes: readonly number[]): { names: string[]; more: number } => {
    const launched = chains(sizes), joined = joinDispatches(launched, gpuTarget);
    const before = livenessBound(launched.map(({ dispatch }) => dispatch));
    return { names: joined.map(({ variant }) => variant), more: livenessBound(joined) - before };
  };
  assertEquals(run([some / 4, some / 4, some / 4, some / 4]).names, [
    "4 x make",
    "4 x shrink",
    "end",
  ]);
  // One more at a time.
  const tight = run([some, some, some, some]);
  assertLessOrEqual(tight.more, some);
  assertGreater(tight.names.length, 3);
  assertLess(tight.names.length, 9);
  assertEquals(run([2 * some, 2 * some]).names.length, 5, "none at all");
  assertEquals(run([8 * some, some, some]).more <= some, true);
});

const cpuTarget = { cpu: true, limits };

/** A kernel as CPU adapters run them, that reads all but the last of `slots`, and writes that. */
function launchOnCpu(
  name: string,
  slots: readonly Slot[],
  like: { workgroups?: number; words?: number; loops?: boolean; flops?: number } = {},
): Launched {
  const { workgroups = 4, words = 100, loops = false, flops = 0 } = like;
  const writes = slots.slice(-1).filter((slot) => slot instanceof ImageSlot);
  const body = loops ? "for (;;) { break; }" : "";
  const code = [
    declareSlots(slots, { names: slots.map((_, at) => `x${at}`), writes }),
    `@compute @workgroup_size(8) fn main() { /* ${name} */ ${body} ${";".repeat(words)} }`,
  ].join("\n");
  const dispatch: Dispatch = {
    ...{ kernel: "k", variant: name, shape: "s", code, slots, flops },
    ...{ writes, workgroups: [workgroups, 1, 1] },
  };
  return { dispatch, written: slots.slice(-1) };
}

const texels = (): Slot => new TexelSlot(64);
const image = (): ImageSlot => new ImageSlot(IMAGE_WIDTH);
const ranOnCpu = (launched: readonly Launched[]): string[] =>
  joinDispatches(launched, cpuTarget).map(({ variant }) => variant);

Deno.test("on a CPU adapter, what is small waits until somebody needs it, and then runs together", () => {
  const [a, b, c, d, e, f] = Array.from({ length: 6 }, texels), weight = variable();
  const large = { workgroups: 100_000 };
  assertEquals(
    ranOnCpu([
      launchOnCpu("k", [weight, a]),
      launchOnCpu("large", [weight, b], large),
      launchOnCpu("m", [b, c]),
      launchOnCpu("n", [weight, d]),
      launchOnCpu("user", [c, d, e], large),
      launchOnCpu("last", [a, f]),
    ]),
    ["large", "m | n | k", "user", "last"],
  );
});

Deno.test("on a CPU adapter, workgroups times the words that they go through are bounded", () => {
  const pair = (...likes: Parameters<typeof launchOnCpu>[2][]): Launched[] =>
    likes.map((like, at) => launchOnCpu("km"[at], [variable(), texels()], like));
  const joins = (...likes: Parameters<typeof launchOnCpu>[2][]): boolean =>
    ranOnCpu(pair(...likes)).length === 1;
  assert(joins({ workgroups: 500, words: 1000 }, { workgroups: 500, words: 1000 }));
  assert(!joins({ workgroups: 1000, words: 1000 }, { workgroups: 1000, words: 1000 }));
  assert(joins({ workgroups: 5000, words: 10 }, { workgroups: 1, words: 10 }));
  assert(!joins({ workgroups: 100_000, words: 10 }, { workgroups: 1, words: 10 }));
  // What loops for long does so under a mask, if it is joined.
  assert(joins({ workgroups: 100, loops: true }, {}));
  assert(!joins({ workgroups: 100, loops: true, flops: 2 ** 20 }, {}));
});

Deno.test("on a CPU adapter, what costs little to join comes first", () => {
  const weight = variable();
  const large = launchOnCpu("large", [weight, texels()], { workgroups: 5000 });
  const small = ["k", "m", "n"].map((name) => launchOnCpu(name, [weight, texels()]));
  assertEquals(ranOnCpu([large, small[0]]), ["k | large"]);
  assertEquals(ranOnCpu([large, ...small]), ["large", "k | m | n"]);
});

Deno.test("images that a joined kernel writes lie in one texture, apart from those it is rival to", () => {
  const [a, b, c, d, e] = Array.from({ length: 5 }, image), [x, y, z] = [1, 2, 3].map(texels);
  const packs = [launchOnCpu("pack", [x, a]), launchOnCpu("fill", [y, b])];
  const large = { workgroups: 100_000 };
  const launched = [...packs, launchOnCpu("product", [a, b, c], large)];
  const dispatches = joinDispatches(launched, cpuTarget);
  assertEquals(dispatches.map(({ variant }) => variant), ["pack | fill", "product"]);
  const [{ slots, parts, writes }] = dispatches;
  // One of the textures of each kind is bound.
  assertEquals([slots, parts, writes], [[x, a, y], [[[x, a]], [[y, b]]], [a, b]]);
  const { of } = place(dispatches, { maxBytes: 2 ** 20, maxRows: 1000, reuse: true }).images;
  const [A, B, C] = [a, b, c].map((slot) => of.get(slot)!.arena);
  assertEquals(A, B);
  assert(A !== C);
  // Where one is read while the other is written, there is no such texture.
  assertEquals(ranOnCpu([...packs, launchOnCpu("move", [a, b], large)]).length, 3);
  const moves = [launchOnCpu("move", [a, d], large), launchOnCpu("move", [d, b], large)];
  assertEquals(ranOnCpu([...packs, ...moves]), ["pack | fill", "move", "move"]);
  // Nor is one kernel bound to images that it reads and others that it writes.
  assertEquals(ranOnCpu([launchOnCpu("pack", [x, a]), launchOnCpu("read", [e, z])]).length, 2);
});

Deno.test("on a CPU adapter, random graphs give the same bits joined", async () => {
  let joint = 0;
  for (let seed = 1; seed <= breadth({ gate: 4, all: 16 }); seed++) {
    const make = () => sample(seed, 12);
    const apart = await bitsOf(make, { target: {}, passes: { join: false } });
    const joined = await bitsOf(make, { target: {} });
    assertEquals(joined.bits, apart.bits, `graph ${seed}`);
    assertEquals(apart.joint, 0);
    joint += joined.joint;
  }
  if (gpu.adapter.cpu) assertGreater(joint, 12);
});

Deno.test("on a CPU adapter, a net's passes over two batches give the same bits joined, with twins among them", async () => {
  if (!gpu.images) return;
  for (const side of [9, 8]) {
    const make = () => twoBatches(side);
    const apart = await bitsOf(make, { target: {}, passes: { join: false, instances: false } });
    for (const instances of [true, false]) {
      const joined = await bitsOf(make, { target: {}, passes: { instances } });
      assertEquals(joined.bits, apart.bits);
      assertLess(joined.variants.length, 0.8 * apart.variants.length);
      const mixed = joined.variants.filter((each) => /(^| \| )2 x .* \| /.test(each));
      assertEquals(mixed.length > 0, true, joined.variants.join("\n"));
    }
  }
});

/** A target as a GPU of a number of buffers. */
const asGpu = (maxStorageBuffersPerShaderStage: number): Partial<Target> => ({
  cpu: false,
  images: false,
  subgroups: gpu.subgroups,
  limits: { ...gpu.limits, maxStorageBuffersPerShaderStage },
});

/** The bits of all that a program leaves, after two runs. */
async function bitsOf(
  make: () => { outputs: readonly Tensor[]; assignments: Map<Variable, Tensor> },
  options: { target: Partial<Target>; passes?: Partial<Passes>; variant?: string },
): Promise<{ bits: Uint32Array[]; variants: readonly string[]; joint: number }> {
  const { outputs, assignments } = make();
  const plan = new Plan(gpu, { name: "test", outputs, assignments }, options);
  plan.run();
  plan.run();
  const variables = [...assignments.keys()];
  const bytes = await readBuffers(gpu, [
    ...plan.outputs,
    ...variables.map((each) => each.bufferOn(gpu)),
  ]);
  await gpu.settled();
  const variants = plan.dispatches.map(({ variant }) => variant);
  const joint = plan.dispatches.filter(({ code }) => code.includes("p1_main")).length;
  plan.destroy();
  variables.forEach((each) => each.destroy());
  return { bits: bytes.map((each) => new Uint32Array(each)), variants, joint };
}

Deno.test("random graphs give the same bits joined", async () => {
  let joint = 0;
  for (let seed = 1; seed <= breadth({ gate: 4, all: 16 }); seed++) {
    const make = () => sample(seed, 12);
    // Of fewer buffers, other kernels are made.
    const target = asGpu(seed % 2 === 0 ? 9 : gpu.limits.maxStorageBuffersPerShaderStage);
    const apart = await bitsOf(make, { target, passes: { join: false } });
    const joined = await bitsOf(make, { target });
    assertEquals(joined.bits, apart.bits, `graph ${seed}`);
    assertEquals(apart.joint, 0);
    joint += joined.joint;
  }
  assertGreater(joint, 12);
});

const FROM = 5, TO = 8;

/** A net goes over two batches that do not know of each other, and learns from both. */
function twoBatches(
  side: number,
): { outputs: readonly Tensor[]; assignments: Map<Variable, Tensor> } {
  const assignments = new Map<Variable, Tensor>();
  const outputs = withBindings(assignments, () => {
    const filters = [FROM, TO].map((from, at) =>
      new Variable(noise(TO * from * 9, at), [TO, from, 3, 3])
    );
    const last = new Variable(noise(3 * TO * 9, 5), [3, TO, 3, 3]);
    const scale = new Variable(noise(TO, 6), [1, TO, 1, 1]);
    const forward = (x: Tensor): Tensor => {
      let y = leakyRelu(mul(conv2d(x, filters[0], { padding: 1 }), scale));
      y = relu(add(conv2d(y, filters[1], { padding: 1 }), y));
      const average = mean(y, { dim: [0, 2, 3], keepdim: true });
      y = mul(y, add(average, 1));
      return conv2d(y, last, { padding: 1 });
    };
    const losses = [2, 3].map((seed) => {
      const x = tensor(noise(3 * FROM * side * side, seed), [3, FROM, side, side]);
      return mean(softplus(forward(permute(x, [0, 1, 3, 2]))));
    });
    const loss = add(losses[0], mul(losses[1], 0.5));
    const [gradient] = grad(loss, [filters[0].value]);
    const [first, second] = filters;
    new Adam({ first, second, last, scale }, { lr: 0.01 }).minimize(loss);
    return [...losses, sum(gradient)];
  });
  return { outputs, assignments };
}

/** Two passes, with products of one form wherever there is such a one. */
async function assertSameBits(
  options: { side: number; variant?: string; wish?: string },
): Promise<void> {
  const { side, variant, wish } = options, make = () => twoBatches(side);
  const target = { ...asGpu(10), ...(wish !== undefined && { choose: () => wish }) };
  const apart = await bitsOf(make, { target, variant, passes: { join: false } });
  const joined = await bitsOf(make, { target, variant });
  assertEquals(joined.bits, apart.bits);
  assertLess(joined.variants.length, 0.8 * apart.variants.length);
  assert(joined.variants.some((each) => each.includes(variant ?? wish!)));
}

const forms = ["winograd 2 tiled", "direct", "tiled"];

for (const variant of forms.slice(0, breadth({ gate: 2, all: 3 }))) {
  Deno.test(`a net's passes over two batches give the same bits joined: ${variant}`, () =>
    assertSameBits({ side: 9, variant }));
}

Deno.test("a net's passes over two batches give the same bits joined: tiled rows", () =>
  assertSameBits({ side: 8, wish: "tiled rows" }));

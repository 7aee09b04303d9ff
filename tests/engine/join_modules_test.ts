// Several shaders as one: each does in it what it does alone, whatever names it uses, and with whatever workgroups.

import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import {
  joinModules,
  type ModulePart,
  runsIn,
  workgroupsIn,
} from "../../engine/compile/join_modules.ts";
import { bytesOfType, readModule } from "../../engine/compile/module.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { device } from "./device.ts";

const gpu = await device();

type Grid = readonly [number, number, number];

/** A shader, its grid, and the memories that it is bound to, by numbers. */
interface Kernel {
  readonly code: string;
  readonly workgroups: Grid;
  readonly bound: readonly number[];
}

const WORDS = 512;

/** The words of all memories after kernels ran in order, each with its own dispatch. */
async function results(kernels: readonly Kernel[]): Promise<Uint32Array[]> {
  const count = Math.max(...kernels.flatMap(({ bound }) => bound)) + 1;
  const buffers = Array.from({ length: count }, (_, at) => {
    const buffer = gpu.createBuffer(4 * WORDS, { purpose: "a test" });
    gpu.upload(
      buffer,
      Uint32Array.from({ length: WORDS }, (_, i) => (i * 7919 + at * 104729) % 1009),
    );
    return buffer;
  });
  const encoder = gpu.encoder(), pass = encoder.beginComputePass();
  for (const { code, workgroups, bound } of kernels) {
    const kinds = bound.map(() => "memory 16" as const);
    pass.setPipeline(gpu.pipeline(code, { label: "test", kinds }));
    const resources = bound.map((at) => ({ buffer: buffers[at] }));
    pass.setBindGroup(0, gpu.bindGroup(resources, { label: "test", kinds }));
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  const bytes = await readBuffers(gpu, buffers);
  await gpu.settled();
  buffers.forEach((buffer) => gpu.destroyBuffer(buffer));
  return bytes.map((each) => new Uint32Array(each));
}

/** Kernels as one. */
function joined(kernels: readonly Kernel[], options: { threads: number; width?: number }): Kernel {
  const { threads, width = 65_535 } = options;
  const bound = [...new Set(kernels.flatMap(({ bound }) => bound))];
  const parts = kernels.map(({ code, workgroups, bound: own }): ModulePart => ({
    module: readModule(code),
    bindings: own.map((at) => bound.indexOf(at)),
    workgroups,
  }));
  const total = parts.reduce((sum, part) => sum + workgroupsIn(part, threads), 0);
  const side = Math.min(width, total);
  return {
    code: joinModules(parts, { threads, width: side }),
    workgroups: [side, Math.ceil(total / side), 1],
    bound,
  };
}

async function assertSame(
  kernels: readonly Kernel[],
  options: { threads: number; width?: number },
): Promise<Kernel> {
  const one = joined(kernels, options), apart = await results(kernels);
  assertEquals(await results([one]), apart);
  assertGreater(new Set(apart.at(-1)).size, 3, "something happens");
  return one;
}

const bindings = (...names: string[]): string =>
  names.map((name, at) => `@group(0) @binding(${at}) var<storage, read_write> ${name}: array<u32>;`)
    .join("\n");

/** Reverses what the threads of a workgroup read, by way of their memory. */
const reverse = (threads: number, extra = ""): string => `
${bindings("source", "result")}
var<workgroup> row: array<u32, ${threads}>;
const LAST = ${threads - 1}u;
fn place(i: u32) -> u32 { return LAST - i; } // Where a thread reads.
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  if (workgroup.x >= 3u) { return; }
  let place0 = workgroup.x * ${threads}u;
  row[thread] = source[place0 + thread];
  workgroupBarrier();
  let place = place(thread);
  result[place0 + thread] = row[place]${extra};
}`;

Deno.test("kernels with the same names, and memory of workgroups, return early and wait for their threads", async () => {
  const grid: Grid = [5, 1, 1];
  const one = await assertSame([
    { code: reverse(32), workgroups: grid, bound: [0, 1] },
    { code: reverse(32, " * 3u"), workgroups: grid, bound: [2, 3] },
    { code: reverse(32, " + 5u"), workgroups: grid, bound: [0, 4] },
  ], { threads: 32 });
  // All want the same memory and constants, and no two of them ever have it.
  assertEquals(one.code.match(/var<workgroup>/g)!.length, 1);
  assertEquals(one.code.match(/const \w*LAST/g)!.length, 1);
  assertEquals(one.code.match(/fn \w*place\(/g)!.length, 1);
  assertEquals(one.code.match(/@binding/g)!.length, 5);
});

Deno.test("memory of other types, and memories of one type in one kernel, stay apart", async () => {
  const two = reverse(32).replace("var<workgroup> row", "var<workgroup> other: array<u32, 32>;\n$&")
    .replace("workgroupBarrier();", "other[31u - thread] = thread * 100u;\n  $&")
    .replace("row[place]", "row[place] + other[thread]");
  const pairs = reverse(32).replace("array<u32, 32>", "array<vec2<u32>, 32>")
    .replace("source[place0 + thread];", "vec2u(source[place0 + thread], thread);")
    .replace("row[place]", "row[place].x + row[thread].y");
  const one = await assertSame([
    { code: two, workgroups: [3, 1, 1], bound: [0, 1] },
    { code: reverse(32), workgroups: [3, 1, 1], bound: [2, 3] },
    { code: pairs, workgroups: [2, 1, 1], bound: [0, 4] },
  ], { threads: 32 });
  assertEquals(one.code.match(/var<workgroup>/g)!.length, 3);
});

Deno.test("members, structs, constants and locals of the same names are told apart", async () => {
  const code = (factor: number): string =>
    `
enable f16;
${bindings("a", "b")}
/* A struct */ struct Item { value: u32, count: u32, }
alias Number = u32;
const count: Number = ${factor}u;
var<private> seen: Number = 1;
fn value(item: Item) -> Number { return item.value * count + item.count; }
fn twice(i: Number) -> Item { let value = Item(a[i], i); seen += 1u; return value; }
@compute @workgroup_size(16) fn main(@builtin(global_invocation_id) id: vec3u) {
  let item = twice(id.x);
  { let count = 0x1Fu; b[id.x] = value(item) + count; }
  b[id.x] += seen + u32(1.5e1f) + item.count;
}`
      .replace("enable f16;", gpu.features.has("shader-f16") ? "enable f16;" : "");
  const one = await assertSame([
    { code: code(2), workgroups: [4, 1, 1], bound: [0, 1] },
    { code: code(5), workgroups: [6, 1, 1], bound: [2, 3] },
  ], { threads: 16 });
  assertEquals(one.code.match(/struct/g)!.length, 1, "which says the same in both");
  assertEquals(one.code.match(/const \w*count/g)!.length, 2);
  assertEquals(one.code.match(/fn \w*value/g)!.length, 2, "for they multiply by other numbers");
  assertEquals([...one.code.matchAll(/enable/g)].length, Number(gpu.features.has("shader-f16")));
});

/** Writes what it is told of where it is. */
const whereabouts = (threads: number): string => `
${bindings("result")}
@compute @workgroup_size(${threads}) fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let at = (id.z * grid.y + id.y) * grid.x * ${threads}u + id.x;
  if (at < ${WORDS}u) {
    result[at] = ((group.x * 10u + group.y) * 10u + group.z) * 1000u + local.x * 10u + grid.z +
      index - local.y - local.z;
  }
}`;

Deno.test("grids have their own sides, however the rows are folded", async () => {
  const kernels = [
    { code: whereabouts(8), workgroups: [3, 5, 4] as const, bound: [0] },
    { code: whereabouts(8), workgroups: [7, 1, 1] as const, bound: [1] },
    { code: whereabouts(8), workgroups: [2, 9, 1] as const, bound: [2] },
  ];
  for (const width of [5, 7, 64, 1000]) await assertSame(kernels, { threads: 8, width });
});

Deno.test("threads that have nothing to do with each other run in workgroups of any size", async () => {
  const kernels = [
    { code: whereabouts(8), workgroups: [3, 5, 1] as const, bound: [0] },
    { code: whereabouts(64), workgroups: [3, 1, 2] as const, bound: [1] },
    { code: reverse(32), workgroups: [3, 1, 1] as const, bound: [2, 3] },
  ];
  await assertSame(kernels, { threads: 32 });
  for (const threads of [4, 16, 128]) await assertSame(kernels.slice(0, 2), { threads });
  const fits = (threads: number): boolean[] =>
    kernels.map(({ code }) => runsIn(readModule(code), threads));
  assertEquals(fits(32), [true, true, true]);
  assertEquals(fits(64), [true, true, false]);
  assertEquals(fits(24), [true, false, false]);
});

Deno.test("memory that kernels read as different types cannot be one binding", () => {
  const code = reverse(32),
    quads = code.replace("source: array<u32>", "source: array<vec4<u32>>")
      .replace("source[place0 + thread]", "source[place0 + thread].x");
  const kernels = [code, quads].map((code, at) => ({
    code,
    workgroups: [1, 1, 1] as const,
    bound: [0, at + 1],
  }));
  assertThrows(() => joined(kernels, { threads: 32 }), Error, "Binding 0 would be array<u32>");
  // The same type has two names.
  const same = code.replaceAll("array<u32>", "array<vec4<f32>>");
  assertEquals(readModule(same).bound, readModule(same.replaceAll("vec4<f32>", "vec4f")).bound);
});

Deno.test("what is read of a shader", () => {
  const { workgroup, together, shared, bound } = readModule(reverse(32));
  assertEquals({ workgroup, together, shared }, {
    workgroup: 32,
    together: true,
    shared: ["array<u32,32>"],
  });
  const memory = { space: "storage, read_write", type: "array<u32>" };
  assertEquals([...bound], [[0, memory], [1, memory]]);
  assertEquals(readModule(whereabouts(8)).together, false);
  const placed = "@group(0) @binding(2) var image: texture_storage_2d<r32float, read_write>;";
  const uniform = "@group(0) @binding(3) var<uniform> places: array<vec4u, 6>;";
  assertEquals([...readModule(`${placed} ${uniform} ${reverse(8)}`).bound].slice(0, 2), [
    [2, { space: "", type: "texture_storage_2d<r32float,read_write>" }],
    [3, { space: "uniform", type: "array<vec4u,6>" }],
  ]);
  const loop = "@compute @workgroup_size(8) fn main() { for (var i = 0u; i < 2u; i++) {} }";
  assertEquals([reverse(32), loop].map((code) => readModule(code).loops), [false, true]);
  assertEquals(readModule("@compute @workgroup_size(8) fn main() { /* no */ }").length, 13);
  assertEquals(
    ["f32", "array<u32,32>", "array<array<vec4f,17>,16>", "array<vec4h,4u>", "Item"].map(
      bytesOfType,
    ),
    [4, 128, 16 * 17 * 16, 32, Infinity],
  );
  assertThrows(() => readModule("fn other() {}"), Error, "main");
  assertThrows(() => readModule("let x = 1;"), Error, "Cannot read");
});

Deno.test("what a kernel is bound to twice is one variable of the joined one", () => {
  const declared = (at: number, name: string): string =>
    `@group(0) @binding(${at}) var<storage, read_write> ${name}: array<u32>;`;
  const code = [
    ...["left", "right", "out"].map((name, at) => declared(at, name)),
    "@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {",
    "  out[id.x] = left[id.x] * right[id.x + 1u];",
    "}",
  ].join("\n");
  const part = (bindings: readonly number[]): ModulePart => ({
    module: readModule(code),
    bindings,
    workgroups: [2, 1, 1],
  });
  const joint = joinModules([part([0, 0, 1]), part([2, 0, 3])], { threads: 8, width: 65_535 });
  const numbers = [...joint.matchAll(/@binding\((\d+)\)/g)].map(([, number]) => Number(number));
  assertEquals(numbers.toSorted(), [0, 1, 2, 3]);
});

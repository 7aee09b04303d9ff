// What kernels leave to each other on CPU adapters: texels of one texture, and images that share textures.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { add, matmul, mul, relu, sub, sum, tanh, type Tensor, tensor } from "../../engine/mod.ts";
import { lower, type Target } from "../../engine/compile/lower.ts";
import { livenessBound, place, placementBytes, textureRows } from "../../engine/compile/memory.ts";
import { allPasses, type Passes } from "../../engine/compile/passes.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { declareSlots } from "../../engine/kernels/access.ts";
import type { Dispatch, Slot } from "../../engine/kernels/dispatch.ts";
import { IMAGE_WIDTH, ImageSlot } from "../../engine/kernels/image.ts";
import { TEXEL_WIDTH, TexelSlot } from "../../engine/kernels/texels.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { device } from "./device.ts";

const gpu = await device();

function dispatch(slots: Slot[], writes: Slot[] = []): Dispatch {
  const names = { kernel: "k", variant: "v", shape: "s", code: "" };
  return { ...names, slots, writes, workgroups: [1, 1, 1], flops: 0 };
}

const options = { maxBytes: 2 ** 20, maxRows: 1000, reuse: true };

/** Whether two ranges of a placement have nothing in common. */
function apart(
  [a, b]: readonly [number, number],
  [c, d]: readonly [number, number],
): boolean {
  return a + b <= c || c + d <= a;
}

Deno.test("texels that are alive at once lie apart in one texture, and memory is used again", () => {
  const [a, b, c, d] = [1000, 70, 300, 900].map((numbers) => new TexelSlot(4 * numbers));
  const dispatches = [dispatch([a]), dispatch([a, b]), dispatch([b, c]), dispatch([c, d])];
  const placement = place(dispatches, options);
  const { of, lengths } = placement.texels;
  const range = (slot: Slot): [number, number] => [of.get(slot)!.offset, slot.bytes / 4];
  for (const [x, y] of [[a, b], [b, c], [c, d]]) assert(apart(range(x), range(y)));
  // Rounded up to whole rows, which both of the large ones fit in together with what is alive beside them.
  assertEquals(lengths, [TEXEL_WIDTH]);
  assertEquals(textureRows(placement), { texels: 1, images: 0 });
  assertEquals(placementBytes(placement), 4 * TEXEL_WIDTH);
  assertEquals(of.get(d)!.offset, 0);
  assertEquals(livenessBound(dispatches), 4 * (900 + 300));
});

Deno.test("images share textures, but for what one kernel reads and writes", () => {
  const [a, b, c, d] = [5, 4, 3, 2].map((rows) => new ImageSlot(rows * IMAGE_WIDTH));
  const dispatches = [
    dispatch([a], [a]),
    dispatch([b], [b]),
    dispatch([a, b, c], [c]),
    dispatch([c, d], [d]),
  ];
  const { of, lengths } = place(dispatches, options).images;
  const textureOf = (slot: Slot) => of.get(slot)!.arena;
  assertEquals(textureOf(a), textureOf(b));
  assertEquals(of.get(b)!.offset, 5 * IMAGE_WIDTH);
  assert(textureOf(c) !== textureOf(a));
  assertEquals(textureOf(d), textureOf(a));
  assertEquals(of.get(d)!.offset, 0);
  assertEquals(lengths, [9 * IMAGE_WIDTH, 3 * IMAGE_WIDTH]);
  const low = place(dispatches, { ...options, maxRows: 8 }).images;
  assertEquals(low.lengths, [5, 4, 3].map((rows) => rows * IMAGE_WIDTH));
});

Deno.test("shaders load and store by name, whatever the memory is", () => {
  const buffer = { bytes: 16 }, texels = new TexelSlot(16);
  const [from, to] = [new ImageSlot(4), new ImageSlot(4)];
  const code = declareSlots([buffer, from, texels, buffer, to], {
    names: ["x", "image", "y", undefined, "result"],
    writes: [to],
  });
  const lines = code.split("\n");
  assertEquals(lines.filter((line) => line.startsWith("@group")), [
    "@group(0) @binding(0) var<storage, read_write> x: array<f32>;",
    "@group(0) @binding(1) var image: texture_storage_2d<rgba32float, read>;",
    "@group(0) @binding(4) var result: texture_storage_2d<rgba32float, write>;",
    "@group(0) @binding(5) var texels: texture_storage_2d<r32float, read_write>;",
    "@group(0) @binding(6) var<uniform> places: array<vec4u, 4>;",
  ]);
  for (const name of ["load_x", "store_x", "load_image", "load_y", "store_y", "store_result"]) {
    assertStringIncludes(code, `fn ${name}(at: u32`);
  }
  assertStringIncludes(code, "load_texel(begin0.z + at)");
  assertStringIncludes(code, "begin1.x + at");
  assertStringIncludes(
    code,
    "begin1 = select(places[first_place + 1u], places[first_place + 3u], z == 1u);",
  );
  assertEquals(declareSlots([buffer], { names: ["x"] }).includes("places"), false);
});

/** A chain of products, so that what lies between them is stored, some of it in place. */
function chain(): Tensor[] {
  const numbers = Float32Array.from({ length: 24 * 24 }, (_, i) => (i * 37 % 101) / 50 - 1);
  const x = tensor(numbers, [24, 24]);
  const y = matmul(relu(x), tanh(x)), z = matmul(tanh(matmul(y, x)), x);
  const shifted = add(z, mul(y, 0.5)), total = sum(mul(z, shifted), { dim: 1 });
  return [matmul(relu(shifted), y), sub(matmul(shifted, z), total)];
}

function lowered(target: Partial<Target>, passes: Partial<Passes> = {}): readonly Dispatch[] {
  const slotOf = ({ size }: { size: number }): Slot => ({ bytes: 4 * size });
  return lower({ name: "chain", outputs: chain(), assignments: new Map() }, {
    target: { cpu: true, images: true, limits: gpu.limits, ...target },
    memory: { leaf: slotOf, variable: slotOf, output: slotOf },
    passes: { ...allPasses, ...passes },
  }).dispatches;
}

const inTexels = (dispatches: readonly Dispatch[]): Dispatch[] =>
  dispatches.filter(({ slots }) => slots.some((slot) => slot instanceof TexelSlot));

Deno.test("only CPU adapters that can read storage textures keep values in texels, as far as one reaches", () => {
  assert(inTexels(lowered({})).length > 3);
  const { limits } = gpu;
  for (
    const [target, passes] of [
      [{ cpu: false }],
      [{ images: false }],
      [{ variant: "direct" }],
      [{ limits: { ...limits, maxTextureDimension2D: 0 } }],
      [{}, { textures: false }],
    ] as const
  ) {
    const dispatches = lowered(target, passes);
    assertEquals(inTexels(dispatches), []);
    assertEquals(dispatches.filter(({ code }) => code.includes("r32float")), []);
  }
});

Deno.test("a result in texels takes over the place of what it replaces, bound once", () => {
  const accessed = (code: string, how: string): string[] =>
    [...code.matchAll(new RegExp(`${how}_(b\\d)\\(at\\d`, "g"))].map(([, name]) => name);
  const replaced = (passes: Partial<Passes>): Dispatch[] =>
    inTexels(lowered({}, { prologues: false, epilogues: false, ...passes })).filter(({ code }) => {
      const stored = accessed(code, "store");
      return accessed(code, "load").some((name) => stored.includes(name));
    });
  assert(replaced({}).length > 0);
  for (const { slots } of replaced({})) assertEquals(new Set(slots).size, slots.length);
  assertEquals(replaced({ inPlace: false }), []);
});

Deno.test("values in texels are the same to the bit", async () => {
  const run = async (passes: Partial<Passes>): Promise<Uint32Array[]> => {
    const plan = new Plan(gpu, { name: "chain", outputs: chain(), assignments: new Map() }, {
      passes,
    });
    plan.run();
    const bytes = await readBuffers(gpu, plan.outputs);
    plan.destroy();
    return bytes.map((numbers) => new Uint32Array(numbers));
  };
  const { memory } = gpu;
  assertEquals(await run({}), await run({ textures: false }));
  assertEquals(gpu.memory, memory);
});

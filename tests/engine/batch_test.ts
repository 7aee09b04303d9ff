// In which order groups run, and which together.

import { assertEquals } from "@std/assert";
import { formBatches } from "../../engine/compile/batch.ts";
import type { Group } from "../../engine/compile/fuse.ts";
import { conv2d, reshape, square, type Tensor, tensor, Variable } from "../../engine/mod.ts";

const value = (size: number): Tensor => square(tensor(new Float32Array(size)));

/** A group that reads what others write, and writes one value. */
function group(
  size: number,
  options: { of?: readonly Group[]; kind?: Group["kind"] } = {},
): Group {
  const { of = [], kind = "pointwise" } = options;
  const picture = (): Tensor => {
    const x = reshape(value(size), [1, 1, 1, size]);
    return conv2d(x, reshape(value(1), [1, 1, 1, 1]));
  };
  const reads = new Map(of.map(({ outputs: [output] }) => [output, true] as const));
  return { kind, outputs: [kind === "kernel" ? picture() : value(size)], reads };
}

function batches(
  groups: readonly Group[],
  options: {
    updates?: readonly Group[];
    constants?: readonly Group[];
    maxBuffers?: number;
    /** What lies in texels, and takes no binding of its own. */
    texels?: readonly Group[];
    cpu?: boolean;
  } = {},
): number[][] {
  const { updates = [], maxBuffers = 8, texels = [], cpu = false } = options;
  const constants = new Set(options.constants);
  const producer = new Map(groups.map((each) => [each.outputs[0], each]));
  const needs = new Map(
    groups.map((each) => [each, new Set([...each.reads.keys()].map((x) => producer.get(x)!))]),
  );
  const variables = new Map(
    updates.map(({ outputs: [output] }) =>
      [output, new Variable(new Float32Array(output.size), [output.size])] as const
    ),
  );
  const canShare = ({ kind }: Group): boolean => kind !== "kernel";
  const isBound = (x: Tensor): boolean => !texels.some(({ outputs }) => outputs.includes(x));
  return formBatches(groups, needs, { maxBuffers, cpu, variables, constants, canShare, isBound })
    .map((batch) => batch.map((each) => groups.indexOf(each)));
}

const LARGE = 2 ** 20;

Deno.test("small kernels wait until somebody needs one of them, and then run together", () => {
  const first = group(LARGE, { kind: "kernel" }), a = group(4), b = group(5);
  const second = group(LARGE, { kind: "kernel" }),
    third = group(LARGE, { kind: "kernel", of: [b] });
  assertEquals(batches([first, a, b, second, third]), [[0], [3], [2, 1], [4]]);
});

Deno.test("who waits for a small kernel gets all that are ready, though nobody waits for them yet", () => {
  const a = group(4), first = group(LARGE, { kind: "kernel", of: [a] });
  const b = group(5), second = group(LARGE, { kind: "kernel", of: [b, first] });
  const c = group(6, { of: [first] }), third = group(LARGE, { kind: "kernel", of: [c] });
  assertEquals(batches([a, first, b, second, c, third]), [[0, 2], [1], [3], [4], [5]]);
});

Deno.test("kernels that need each other run one after the other", () => {
  const a = group(4), b = group(4, { of: [a] }), c = group(4, { of: [b] }), d = group(4);
  assertEquals(batches([a, b, c, d]), [[0, 3], [1], [2]]);
});

Deno.test("large kernels keep their place, and take along neighbours that are free", () => {
  const a = group(LARGE), b = group(LARGE), c = group(LARGE, { of: [b] });
  assertEquals(batches([a, b, c]), [[0, 1], [2]]);
});

Deno.test("on a CPU, what a thousand threads work on keeps its place, too", () => {
  const size = 2 ** 15, first = group(LARGE, { kind: "kernel" });
  const a = group(size), second = group(LARGE, { kind: "kernel" });
  const third = group(LARGE, { kind: "kernel", of: [a] });
  const groups = [first, a, second, third];
  assertEquals(batches(groups), [[0], [2], [1], [3]]);
  assertEquals(batches(groups, { cpu: true }), [[0], [1], [2], [3]]);
});

Deno.test("no more share a dispatch than a kernel can be bound to", () => {
  assertEquals(batches([1, 2, 3, 4, 5].map((size) => group(size)), { maxBuffers: 2 }), [
    [0, 1],
    [2, 3],
    [4],
  ]);
});

Deno.test("what lies in texels takes none of the buffers", () => {
  const groups = [1, 2, 3, 4, 5].map((size) => group(size));
  assertEquals(batches(groups, { maxBuffers: 2, texels: groups.slice(1, 4) }), [[0, 1, 2, 3, 4]]);
  assertEquals(batches(groups, { maxBuffers: 2, texels: groups.slice(1, 2) }), [[0, 1, 2], [3, 4]]);
});

Deno.test("what is kept from run to run shares no dispatch with what is not", () => {
  const groups = [1, 2, 3, 4].map((size) => group(size));
  const user = group(LARGE, { kind: "kernel", of: groups });
  assertEquals(batches([...groups, user]), [[0, 1, 2, 3], [4]]);
  const constants = [groups[1], groups[3]];
  assertEquals(batches([...groups, user], { constants }), [[0, 2], [1, 3], [4]]);
  const large = [5, 6].map((more) => group(LARGE + more));
  assertEquals(batches(large, { constants: [large[0]] }), [[0], [1]]);
});

Deno.test("who needs one update gets all that are ready, but none whose gradient is still to come", () => {
  const one = group(LARGE), two = group(LARGE);
  const user = group(LARGE, { kind: "kernel", of: [one] });
  const late = group(LARGE, { of: [user] });
  const other = group(LARGE, { kind: "kernel", of: [two] });
  assertEquals(batches([one, user, late, two, other], { updates: [one, two, late] }), [
    [0, 3],
    [1],
    [4],
    [2],
  ]);
});

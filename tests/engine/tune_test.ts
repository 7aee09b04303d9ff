import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  checkTable,
  compile,
  conv2d,
  grad,
  identify,
  type KernelSite,
  matmul,
  read,
  relu,
  reshape,
  siteKey,
  sum,
  tanh,
  type Tensor,
  tensor,
  tune,
  Variable,
} from "../../engine/mod.ts";
import type { Conv2dGeometry } from "../../engine/kernels/conv2d_geometry.ts";
import type { Dispatch, KernelContext } from "../../engine/kernels/dispatch.ts";
import { conv2dCandidates } from "../../engine/kernels/conv2d.ts";
import { matmulCandidates } from "../../engine/kernels/matmul.ts";
import { chooseVariant } from "../../engine/kernels/variant.ts";
import { Tensor as Node } from "../../engine/tensor.ts";
import { device, withoutLeaks } from "./device.ts";

const gpu = await device();

const numbers = (shape: number[]): Tensor => {
  const length = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898)), shape);
};

/** A step of a tiny net: a strided convolution, a layer, and the gradients of both. */
function tinyNet() {
  const filters = new Variable(Float32Array.from({ length: 5 * 3 * 9 }, (_, i) => Math.sin(i)), [
    ...[5, 3, 3, 3],
  ]);
  const weight = new Variable(Float32Array.from({ length: 80 * 4 }, (_, i) => Math.cos(i)), [
    80,
    4,
  ]);
  const step = compile((x) => {
    const hidden = relu(conv2d(x, filters, { stride: 2, padding: 1 }));
    const loss = sum(tanh(matmul(flat(hidden), weight)));
    return [loss, ...grad(loss, [filters.value, weight.value])];
  }, { name: "tiny net" });
  return { step, x: numbers([2, 3, 8, 8]) };
}

const flat = (x: Tensor): Tensor => reshape(x, [x.shape[0], x.size / x.shape[0]]);

/** Forgets all choices, for they belong to the device that tests share. */
function forget(sites: readonly KernelSite[]): void {
  for (const site of sites) gpu.variants.set(site, undefined);
}

Deno.test("the forced variant, else the measured one, else the best guess, where it is valid", () => {
  const choice = { family: "f", shape: "s", candidates: ["a", "b", "c"] };
  const rule = (variant?: string, measured?: string, others: string[] = []) => {
    const context = { variant, choose: () => measured } as unknown as KernelContext;
    return chooseVariant(context, { ...choice, others });
  };
  assertEquals(rule("c", "b"), "c");
  assertEquals(rule("gone", "b"), "b");
  assertEquals(rule("slow", "b", ["slow"]), "slow");
  assertEquals(rule(undefined, "slow", ["slow"]), "a");
  assertEquals(rule(undefined, "b"), "b");
  assertEquals(rule(undefined, "gone"), "a");
  assertEquals(rule(), "a");
});

Deno.test("sites are the kernels that come in several variants; nothing is run for them", async () => {
  await withoutLeaks(() => {
    const { step, x } = tinyNet();
    const sites = step.sites(x);
    assertEquals(sites.map(({ family }) => family).sort(), [
      "conv2d",
      "conv2dWeightGrad",
      "matmul",
      "matmul",
      "matmul",
    ]);
    for (const { candidates } of sites) assert(candidates.length > 1);
    const grouped = compile((x) => conv2d(x, numbers([3, 1, 3, 3]), { groups: 3 }));
    assertEquals(grouped.sites(x), []);
    return Promise.resolve();
  });
});

Deno.test("the best guess comes first, by adapter", () => {
  const { step, x } = tinyNet();
  for (const { family, candidates } of step.sites(x)) {
    const [form] = candidates[0].split(" ");
    assertEquals(form, gpu.adapter.cpu && gpu.images ? "image" : "tiled");
    // Its convolution is of pictures, but small.
    const few = gpu.adapter.cpu && gpu.images && family.startsWith("conv2d");
    assertEquals(candidates.includes("few"), few);
  }
  const { limits } = gpu;
  const scratch = (bytes: number) => ({ bytes });
  const context: KernelContext = { cpu: false, images: true, limits, scratch };
  const picture: Conv2dGeometry = {
    ...{ batch: 16, groups: 1, inChannels: 3, outChannels: 64 },
    ...{ inputSize: [64, 64], outputSize: [32, 32], kernel: [4, 4] },
    ...{ stride: [2, 2], padding: [1, 1], dilation: [1, 1] },
  };
  assertEquals(conv2dCandidates({ ...context, cpu: true }, picture)[0], "few");
  const odd = { groups: 2, stride: [1, 1], dilation: [1, 1] };
  assertEquals(conv2dCandidates(context, odd as never), ["direct"]);
  const sides = { m: 512, n: 512, k: 512, transposeA: false, transposeB: false };
  const large = { batch: 1, ...sides };
  assertEquals(matmulCandidates(context, large)[0].split(" ")[0], "tiled");
  assertEquals(matmulCandidates({ ...context, cpu: true }, large), ["image"]);
});

Deno.test("a tuned net computes what it did before, with the variants that were chosen", async () => {
  const before = tinyNet();
  const expected = await read(before.step(before.x) as Tensor[]);
  const { step, x } = tinyNet();
  const sites = step.sites(x);
  const { memory } = gpu;
  try {
    const { kernels, table } = await tune(sites);
    assertEquals(gpu.memory, memory, "measuring gives all memory back");
    assertEquals(kernels.length, new Set(sites.map(siteKey)).size);
    for (const { family, shape, guess, choice, seconds, source } of kernels) {
      assertEquals(source, "measured");
      assertEquals(gpu.variants.get(family, shape), choice);
      assert(seconds[guess] > 0 && seconds[choice] > 0);
      assert(seconds[choice] <= seconds[guess]);
      assertEquals(table[siteKey({ family, shape })].choice, choice);
    }
    const actual = await read(step(x) as Tensor[]);
    actual.forEach((values, at) =>
      values.forEach((value, i) => assertAlmostEquals(value, expected[at][i], 1e-4))
    );
  } finally {
    forget(sites);
  }
});

Deno.test("every variant that a table can name computes the same", async () => {
  const before = tinyNet();
  const expected = await read(before.step(before.x) as Tensor[]);
  const sitesOf = ({ step, x }: ReturnType<typeof tinyNet>) => step.sites(x);
  for (const variant of new Set(sitesOf(before).flatMap(({ candidates }) => candidates))) {
    const { step, x } = tinyNet();
    const sites = step.sites(x);
    for (const site of sites) gpu.variants.set(site, variant);
    const actual = await read(step(x) as Tensor[]);
    forget(sites);
    actual.forEach((values, at) =>
      values.forEach((value, i) => assertAlmostEquals(value, expected[at][i], 1e-4))
    );
  }
});

Deno.test("what was measured holds until a shader changes, and survives JSON", async () => {
  const { step, x } = tinyNet();
  const [site] = step.sites(x);
  const again = async (known: unknown) => {
    const { kernels } = await tune([site], { known: checkTable(known) });
    return kernels[0];
  };
  try {
    const { table } = await tune([site]);
    const entry = table[siteKey(site)];
    const other = { ...entry, choice: site.candidates.at(-1)! };
    const kept = await again(JSON.parse(JSON.stringify({ [siteKey(site)]: other })));
    assertEquals([kept.source, kept.choice], ["known", other.choice]);
    assertEquals(gpu.variants.get(site.family, site.shape), other.choice);
    const changed = await again({ [siteKey(site)]: { ...entry, fingerprint: "another shader" } });
    assertEquals(changed.source, "measured");
    const gone = await again({ [siteKey(site)]: { ...entry, choice: "gone" } });
    assertEquals(gone.source, "measured");
  } finally {
    forget([site]);
  }
});

Deno.test("a table that is none is refused with the reason", () => {
  assertThrows(() => checkTable([]), TypeError, "not a table");
  assertThrows(() => checkTable({ "conv2d 1": { choice: "a" } }), TypeError, '"conv2d 1"');
  const entry = { fingerprint: "f", choice: "a", seconds: { a: "fast" } };
  assertThrows(() => checkTable({ "conv2d 1": entry }), TypeError, "no measurement");
});

Deno.test("without time left nothing is measured, and the static guess stays", async () => {
  const { step, x } = tinyNet();
  const sites = step.sites(x);
  const { kernels, table } = await tune(sites, { budget: 0 });
  assertEquals([...new Set(kernels.map(({ source }) => source))], ["guess"]);
  for (const { guess, choice } of kernels) assertEquals(choice, guess);
  assertEquals(table, {});
});

Deno.test("what the budget allows is measured, the most work first, and progress is told", async () => {
  const { step, x } = tinyNet();
  const sites = step.sites(x);
  const progress: number[][] = [], written: number[] = [];
  let time = 0;
  try {
    const { kernels } = await tune(sites, {
      budget: 10,
      now: () => time,
      onProgress: (...counts) => progress.push(counts),
      onMeasured(table) {
        written.push(Object.keys(table).length);
        time += 6;
      },
    });
    const total = kernels.length;
    assertEquals(kernels.map(({ source }) => source), [
      "measured",
      "measured",
      ...new Array(total - 2).fill("guess"),
    ]);
    assertMatch(kernels[0].family, /^conv2d/);
    assertEquals(progress, [[0, total], [1, total], [2, total]]);
    assertEquals(written, [1, 2]);
  } finally {
    forget(sites);
  }
});

Deno.test("a kernel that is in hand when time is up goes by what was seen of it, which is not kept", async () => {
  const step = compile((x) => doubling(x), { name: "doubling" });
  const sites = step.sites(numbers([4097]));
  let looks = 0; // At the clock: at the start, before the kernel, and before each variant.
  try {
    const { kernels: [kernel], table } = await tune(sites, { budget: 4, now: () => looks++ });
    assertEquals([kernel.source, Object.keys(kernel.seconds)], ["measured", ["right", "fast"]]);
    assertEquals(gpu.variants.get(kernel.family, kernel.shape), kernel.choice);
    assertEquals(table, {});
  } finally {
    forget(sites);
  }
});

/** Doubles numbers; `wrong` triples the last one, `broken` is no WGSL, `greedy` wants all memory. */
function doubling(x: Tensor): Tensor {
  const length = x.size;
  const code = (body: string) =>
    `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
     @group(0) @binding(1) var<storage, read_write> y: array<f32>;
     @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
       let i = id.x; ${body}
     }`;
  const bodies: Record<string, string> = {
    right: `for (var k = 0; k < 50; k++) { y[i] = 2 * x[i]; }`,
    fast: `y[i] = 2 * x[i];`,
    wrong: `y[i] = select(2 * x[i], 3 * x[i], i == ${length - 1}u);`,
    broken: `y[i] = twice(x[i]);`,
    greedy: `y[i] = 2 * x[i];`,
  };
  const launch = (
    context: KernelContext,
    slots: { inputs: readonly { bytes: number }[]; output: { bytes: number } },
  ): Dispatch[] => {
    const shape = String(length), candidates = Object.keys(bodies);
    const variant = chooseVariant(context, { family: "double", shape, candidates });
    const more = variant === "greedy" ? [context.scratch(2 ** 50)] : [];
    return [{
      kernel: "double",
      variant,
      shape,
      code: code(bodies[variant]),
      slots: [...slots.inputs, slots.output, ...more],
      workgroups: [length, 1, 1],
      flops: length,
    }];
  };
  const op = {
    name: "double",
    kind: "kernel" as const,
    launch: (context: KernelContext, _: Tensor, slots: Parameters<typeof launch>[1]) =>
      launch(context, slots),
  };
  return new Node(op, [x], {}, x.shape, "f32");
}

Deno.test("variants that are invalid, too large or wrong are refused with the reason; the device goes on", async () => {
  const step = compile((x) => doubling(x), { name: "doubling" });
  const x = numbers([4099]);
  const sites = step.sites(x);
  const messages: string[] = [];
  try {
    const { kernels: [{ choice, seconds }] } = await tune(sites, {
      onMessage: (message) => messages.push(message),
    });
    assertEquals(choice, "fast");
    assertEquals(Object.keys(seconds), ["right", "fast"]);
    assertEquals(messages.length, 3);
    assertMatch(messages[0], /^double 4099: wrong computes something else than right \(/);
    assertMatch(
      messages[1],
      /^double 4099: broken cannot run on this adapter: Kernel .* is invalid/,
    );
    assertMatch(messages[2], /^double 4099: greedy cannot run on this adapter: Cannot allocate/);
    assertEquals(gpu.failed, false);
    const [results] = await read([step(x)]);
    const [given] = await read([x]);
    assertEquals([...results], [...given.map((value) => 2 * value)]);
  } finally {
    forget(sites);
  }
});

Deno.test("an attempt at what is invalid fails, not the device, and is not remembered as a pipeline", async () => {
  const attempt = () => gpu.attempt(() => gpu.pipeline("not WGSL", { label: "odd", kinds: [] }));
  await assertRejects(attempt, Error, "Kernel odd is invalid");
  await assertRejects(attempt, Error, "Kernel odd is invalid");
  await assertRejects(
    () =>
      gpu.attempt(() => {
        throw new RangeError("thrown inside");
      }),
    RangeError,
    "thrown inside",
  );
  assertEquals(await gpu.attempt(() => 5), 5);
  gpu.check();
});

Deno.test("an adapter is told from others by all its words, each once", () => {
  const adapter = { name: "A", driver: "A", vendor: "v", architecture: "", cpu: false };
  assertEquals(identify(adapter), "A | v");
  assert(identify({ ...adapter, driver: "A 2" }) !== identify(adapter));
});

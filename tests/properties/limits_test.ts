// The ends of what sizes can be: nothing at all, more work than one side of a grid holds, more memory than a
// buffer holds.

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  add,
  arange,
  cast,
  compile,
  concat,
  conv2d,
  convTranspose2d,
  expand,
  full,
  grad,
  lt,
  matmul,
  moments,
  mul,
  pad,
  read,
  reshape,
  slice,
  sum,
  tensor,
  Variable,
  where,
} from "../../engine/mod.ts";
import { device, withoutLeaks } from "../engine/device.ts";

const gpu = await device();

Deno.test("a batch of nothing is refused where it is made, whatever makes it", () => {
  const image = full([2, 3, 4, 4], 1), none = new Float32Array();
  const attempts: Record<string, () => unknown> = {
    "make a tensor of shape [0, 3, 4, 4]": () => tensor(none, [0, 3, 4, 4]),
    "make a tensor of shape [0]": () => tensor([]),
    "make a variable of shape [0, 3]": () => new Variable(none, [0, 3]),
    "fill a tensor of shape [0]": () => full([0], 1),
    "make a range of shape [0]": () => arange(0),
    "slice axis 0 of tensor [2, 3, 4, 4]": () => slice(image, [[1, 1]]),
    "pad tensor [2, 3, 4, 4]": () => pad(image, [[-2, 0], [0, 0], [0, 0], [0, 0]]),
    "reshape tensor [2, 3, 4, 4]": () => reshape(image, [0, 3, 4, 4]),
    "expand tensor [1]": () => expand(full([1], 1), [0]),
    "conv2d tensor [2, 3, 4, 4]": () => conv2d(image, full([1, 3, 5, 5], 1)),
    "concat no tensors": () => concat([]),
  };
  for (const [what, attempt] of Object.entries(attempts)) {
    assertThrows(attempt, RangeError, `Cannot ${what}`);
  }
});

Deno.test("sums of very many numbers are whole", async () => {
  // Software adapters end a thread's loops after some 65,000 rounds, and say nothing.
  const length = 2 ** 21 + 3, ones = full([length], 1);
  const stripes = cast(arange(length), "f32");
  const { mean, variance } = moments(where(lt(stripes, 2 ** 20), 3, 5), { dim: 0 });
  const row = reshape(ones, [1, length]), column = reshape(ones, [length, 1]);
  const images = full([40, 2, 64, 64], 1), kernels = tensor([1, 1], [2, 1, 1, 1]);
  const filtered = conv2d(images, kernels, { groups: 2 });
  const [grouped] = grad(sum(filtered), [kernels]);
  const tall = full([1, 1, 3, 1], 1), strided = { stride: 2, dilation: 2 };
  const [dilated] = grad(sum(conv2d(full([40, 1, 133, 128], 1), tall, strided)), [tall]);
  const numbers = await read([sum(ones), matmul(row, column), mean, variance, grouped, dilated]);
  const share = 2 ** 20 / length;
  assertEquals([...numbers[0], ...numbers[1]], [length, length]);
  assertAlmostEquals(numbers[2][0], 5 - 2 * share, 1e-5);
  assertAlmostEquals(numbers[3][0], 4 * share * (1 - share), 1e-5);
  assertEquals([...numbers[4]], [40 * 64 * 64, 40 * 64 * 64]);
  assertEquals([...numbers[5]], [40 * 65 * 64, 40 * 65 * 64, 40 * 65 * 64]);
});

Deno.test("convolutions over very many channels are whole", async () => {
  // Strided and dilated at once: the plain form, whose one thread sums 81,000 products.
  const set = { stride: 2, dilation: 2 };
  const filtered = conv2d(full([1, 1000, 17, 17], 1), full([1, 1000, 9, 9], 1), set);
  const spread = convTranspose2d(full([1, 1000, 9, 9], 1), full([1000, 1, 9, 9], 1), set);
  const centre = slice(spread, [null, null, [16, 17], [16, 17]]);
  const numbers = await read([filtered, centre]);
  assertEquals(numbers.map((x) => [...x]), [[81_000], [81_000]]);
});

/** More than the 65,535 workgroups that a side of a grid holds, if each had this many threads. */
const beyond = (threads: number): number => 65_536 * threads + 77;

Deno.test("more elements than a grid's side of workgroups are all computed", async () => {
  const size = beyond(gpu.adapter.cpu ? 64 : 256), period = 1009;
  const column = arange(size, { dtype: "f32" });
  const [numbers] = await read([add(mul(column, 0.5), 1)]);
  assertEquals(numbers.length, size);
  // Numbers up to 2^24 are exact; beyond, f32 rounds them the same way on the host.
  const wrong = [];
  for (let i = 0; i < size; i += period) {
    if (numbers[i] !== Math.fround(Math.fround(i) * 0.5 + 1)) wrong.push(i);
  }
  assertEquals(wrong, []);
  assertEquals(numbers[size - 1], Math.fround(Math.fround(size - 1) * 0.5 + 1));
});

Deno.test("more results of a reduction than a grid's side of workgroups are all computed", async () => {
  const results = beyond(gpu.adapter.cpu ? 16 : 64);
  const x = expand(reshape(cast(arange(results), "f32"), [results, 1]), [results, 3]);
  const [rows] = await read([sum(mul(x, tensor([1, 2, 3])), { dim: 1 })]);
  const wrong = [];
  for (let i = 0; i < results; i++) if (rows[i] !== 6 * i) wrong.push(i);
  assertEquals(wrong.slice(0, 5), []);
});

Deno.test("more products of matrices and more images than a grid's side are all computed", async () => {
  const batch = beyond(1), numbers = reshape(cast(arange(batch), "f32"), [batch, 1, 1]);
  const matrices = mul(expand(numbers, [batch, 2, 2]), tensor([1, 2, 3, 4], [2, 2]));
  const product = matmul(matrices, tensor([1, 1, 0, 1], [2, 2]));
  const images = mul(
    expand(reshape(numbers, [batch, 1, 1, 1]), [batch, 2, 1, 2]),
    tensor([1, 2, 3, 4], [2, 1, 2]),
  );
  const filtered = conv2d(images, tensor([1, 2, 3, 4], [1, 2, 1, 2]));
  const [p, f] = await read([product, filtered]);
  const wrong: string[] = [];
  for (let i = 0; i < batch; i++) {
    const want = [i, 3 * i, 3 * i, 7 * i], got = [...p.subarray(4 * i, 4 * i + 4)];
    if (`${got}` !== `${want}`) wrong.push(`product ${i}: ${got}`);
    if (f[i] !== 30 * i) wrong.push(`image ${i}: ${f[i]}`);
  }
  assertEquals(wrong.slice(0, 5), []);
});

Deno.test("buffers above 128 MiB work where the adapter has them, and are named where it has not", async () => {
  const rows = 5, columns = 7_000_003, mebibytes = 4 * rows * columns / 2 ** 20;
  const large = compile(() => {
    const line = mul(cast(arange(columns), "f32"), 2 ** -10);
    return add(expand(line, [rows, columns]), reshape(tensor([0, 1, 2, 3, 4]), [rows, 1]));
  }, { name: "large" });
  if (gpu.limits.maxBufferSize < mebibytes * 2 ** 20) {
    await withoutLeaks(() => {
      const error = assertThrows(() => large(), RangeError);
      const limit = (gpu.limits.maxBufferSize / 2 ** 20).toFixed(1);
      assertEquals(
        error.message.split(". ")[0],
        `Cannot allocate ${
          mebibytes.toFixed(1)
        } MiB for result [${rows}, ${columns}] of plan large: ` +
          `a buffer of ${gpu.adapter.name} holds at most ${limit} MiB`,
      );
      return Promise.resolve();
    });
    return;
  }
  const corners = compile((x) => slice(x, [[0, null, 4], [0, null, columns - 1]]));
  const [numbers] = await read([corners(large())]);
  const last = Math.fround((columns - 1) * 2 ** -10);
  assertEquals([...numbers], [0, last, 4, Math.fround(last + 4)]);
});

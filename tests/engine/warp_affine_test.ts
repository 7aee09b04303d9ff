// Values and gradients are held to PyTorch's grid_sample in tests/golden; here is what that has no number for.

import { assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  Device,
  grad,
  HostGenerator,
  mul,
  read,
  sum,
  type Tensor,
  tensor,
  warpAffine,
} from "../../engine/mod.ts";

await Device.open();

const host = new HostGenerator(9);
const random = (shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * host.uniform() - 1),
    shape,
  );
const dot = (a: Tensor, b: Tensor): Tensor => sum(mul(a, b));

Deno.test("Quarters of a circle, mirror images and whole pixels move pixels as they are", async () => {
  const picture = tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [1, 1, 2, 3]);
  const shown = async (matrix: number[], size?: readonly [number, number]) => {
    const [got] = await read([warpAffine(picture, tensor(matrix, [1, 2, 3]), { size })]);
    return Array.from(got, (x) => Math.round(10 * x * 1e6) / 1e6);
  };
  const [pixels] = await read([picture]);
  const [same] = await read([warpAffine(picture, tensor([1, 0, 0, 0, 1, 0], [1, 2, 3]))]);
  assertEquals(same, pixels);
  assertEquals(await shown([-1, 0, 0, 0, 1, 0]), [3, 2, 1, 6, 5, 4]);
  assertEquals(await shown([1, 0, 0, 0, -1, 0]), [4, 5, 6, 1, 2, 3]);
  assertEquals(await shown([1, 0, -1, 0, 1, 0]), [1, 1, 2, 4, 4, 5]);
  // Far beyond the edge: the picture has a mirror image, and that has one.
  assertEquals(await shown([1, 0, 6, 0, 1, 4]), [1, 2, 3, 4, 5, 6]);
  assertEquals(await shown([1, 0, -3, 0, 1, 2]), [6, 5, 4, 3, 2, 1]);
  assertEquals(await shown([0, 1, 0, -1, 0, 0], [3, 2]), [4, 1, 5, 2, 6, 3]);
  assertEquals(await shown([1, 0, 0, 0, 1, 0], [2, 5]), [1, 1, 2, 3, 3, 4, 4, 5, 6, 6]);
});

Deno.test("What gradients come back by is the transpose, for every scale and size, and its derivative the warp", async () => {
  const scales = [0.05, 0.3, 1, 3, 40];
  for (const [size, result] of [[[5, 8], [5, 8]], [[9, 4], [3, 13]], [[1, 6], [7, 1]]] as const) {
    const linear = scales.flatMap((scale) => {
      const [a, b, c, d] = Array.from({ length: 4 }, () => scale * (2 * host.uniform() - 1));
      const shift = () => 40 * (host.uniform() - 0.5);
      // Far from singular: the larger numbers on the diagonal.
      return [a + Math.sign(a) * scale, b / 2, shift(), c / 2, d + Math.sign(d) * scale, shift()];
    });
    const matrix = tensor(linear, [scales.length, 2, 3]);
    const x = random([scales.length, 2, ...size]), y = random([scales.length, 2, ...result]);
    const warped = warpAffine(x, matrix, { size: result });
    const [back] = grad(dot(warped, y), [x]);
    const [again] = grad(dot(back, x), [y]);
    const [there, here, once, twice] = await read([dot(warped, y), dot(back, x), warped, again]);
    assertAlmostEquals(there[0], here[0], 1e-4 * Math.abs(there[0]) + 1e-4);
    assertLess(Math.max(...once.map((value, i) => Math.abs(value - twice[i]))), 1e-6);
    // Each picture by itself, so that no error of one hides behind another.
    const each = await read(
      scales.flatMap((_, n) => {
        const only = tensor(scales.map((_, k) => Number(k === n)), [scales.length, 1, 1, 1]);
        return [dot(mul(warped, only), y), dot(mul(back, only), x)];
      }),
    );
    scales.forEach((_, n) => {
      const [[a], [b]] = each.slice(2 * n);
      assertAlmostEquals(a, b, 2e-4 * Math.abs(a) + 2e-4);
    });
  }
});

Deno.test("A warp names itself and the shapes it refuses", () => {
  const picture = tensor(new Float32Array(16), [1, 1, 4, 4]);
  const refused = (make: () => Tensor, message: string) =>
    assertThrows(make, Error, `Cannot warpAffine ${message}`);
  refused(
    () => warpAffine(picture, tensor([1, 0, 0, 1], [1, 2, 2])),
    "tensor [1, 1, 4, 4] by f32 matrices [1, 2, 2]",
  );
  refused(
    () => warpAffine(picture, tensor(Int32Array.of(1, 0, 0, 0, 1, 0), [1, 2, 3])),
    "tensor [1, 1, 4, 4] by i32 matrices [1, 2, 3]",
  );
  const same = tensor([1, 0, 0, 0, 1, 0], [1, 2, 3]);
  refused(() => warpAffine(tensor([1, 2], [1, 2]), same), "tensor [1, 2] by");
  refused(() => warpAffine(picture, same, { size: 0 }), "tensor [1, 1, 4, 4] with size [0, 0]");
});

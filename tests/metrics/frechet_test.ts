import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { HostGenerator } from "../../engine/mod.ts";
import { featureMoments, frechetDistance } from "../../metrics/mod.ts";

const generator = new HostGenerator(3);

function features(count: number, dimensions: number): Float64Array {
  return Float64Array.from({ length: count * dimensions }, () => generator.normal());
}

Deno.test("moments keep their digits where the mean is large against the spread", () => {
  const near = features(40, 3), far = near.map((value) => value + 1e6);
  const { covariance } = featureMoments(near, { dimensions: 3 });
  const { mean, covariance: same } = featureMoments(far, { dimensions: 3 });
  assertAlmostEquals(mean[0], 1e6, 10);
  covariance.forEach((value, i) => assertAlmostEquals(same[i], value, 1e-8));
  assertEquals(covariance[1], covariance[3]);
});

Deno.test("the distance of equal moments is 0, and that of two has no direction", () => {
  for (const count of [200, 7]) {
    const a = featureMoments(features(count, 20), { dimensions: 20 });
    const b = featureMoments(features(count, 20).map((x) => 2 * x + 1), { dimensions: 20 });
    assertAlmostEquals(frechetDistance(a, a), 0, 1e-6);
    const there = frechetDistance(a, b);
    assertAlmostEquals(there / frechetDistance(b, a), 1, 1e-7);
    assertEquals(there > 10, true);
  }
});

Deno.test("in one dimension it is the difference of the means and of the deviations, squared", () => {
  const a = { mean: [1], covariance: [9] }, b = { mean: [-1], covariance: [0.25] };
  assertAlmostEquals(frechetDistance(a, b), 2 ** 2 + 2.5 ** 2, 1e-12);
});

Deno.test("covariances that do not commute have the distance of their closed form", () => {
  // For 2 x 2: (tr (Ca Cb)^1/2)^2 = tr(Ca Cb) + 2 sqrt(det(Ca Cb)).
  const a = { mean: [0, 0], covariance: [2, 1, 1, 3] },
    b = { mean: [0, 0], covariance: [4, 0, 0, 1] };
  const trace = 2 * 4 + 3 * 1, determinant = 5 * 4;
  const wanted = 5 + 5 - 2 * Math.sqrt(trace + 2 * Math.sqrt(determinant));
  assertAlmostEquals(frechetDistance(a, b), wanted, 1e-12);
});

Deno.test("a shift of few vectors in many dimensions is the square of its length apart", () => {
  const original = features(10, 64), shifted = original.map((value) => value + 0.5);
  const [a, b] = [original, shifted].map((x) => featureMoments(x, { dimensions: 64 }));
  assertAlmostEquals(frechetDistance(a, b), 64 * 0.25, 1e-5);
});

Deno.test("a covariance of 0 leaves the trace of the other", () => {
  const point = { mean: [0, 0, 0], covariance: new Float32Array(9) };
  const ball = { mean: [0, 0, 2], covariance: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
  assertEquals(frechetDistance(point, ball), 7);
  assertEquals(frechetDistance(ball, point), 7);
});

Deno.test("features and moments that make no sense are refused by what is wrong", () => {
  const refused = (run: () => unknown, message: string): void => {
    assertThrows(run, RangeError, message);
  };
  refused(() => featureMoments([1, 2, 3], { dimensions: 2 }), "3 numbers as features of 2 dim");
  refused(() => featureMoments([1, 2], { dimensions: 2 }), "at least two whole vectors");
  refused(
    () => featureMoments([1, 2, 3, NaN], { dimensions: 2 }),
    "dimension 1 of vector 1 is NaN",
  );
  const one = { mean: [0], covariance: [1] };
  refused(() => frechetDistance(one, { mean: [0, 0], covariance: [1] }), "moments of 1 and 2 dim");
  refused(() => frechetDistance(one, { mean: [0], covariance: [Infinity] }), "number 0 of a cova");
});

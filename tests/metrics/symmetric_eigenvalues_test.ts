import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { HostGenerator } from "../../engine/mod.ts";
import { dot } from "../../metrics/rows.ts";
import { symmetricEigenvalues } from "../../metrics/symmetric_eigenvalues.ts";

const generator = new HostGenerator(5);

function symmetric(n: number, element: (i: number, j: number) => number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = element(i, j);
  }
  return matrix;
}

const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);

/** A symmetric matrix with the given eigenvalues: a diagonal one between random reflections. */
function withEigenvalues(values: readonly number[]): Float64Array {
  const n = values.length;
  let matrix = symmetric(n, (i, j) => i === j ? values[i] : 0);
  for (let round = 0; round < 3; round++) {
    const v = Float64Array.from({ length: n }, () => generator.normal()), square = dot(v, v);
    // (I - 2 v v^T / v.v) A (I - 2 v v^T / v.v)
    const image = v.map((_, i) => dot(matrix.subarray(i * n, (i + 1) * n), v) * 2 / square);
    const twice = dot(image, v) * 2 / square, before = matrix;
    matrix = symmetric(
      n,
      (i, j) => before[i * n + j] - image[i] * v[j] - v[i] * image[j] + twice * v[i] * v[j],
    );
  }
  return matrix;
}

const VALUES: Record<string, number[]> = {
  "of one number": [-3],
  "of two rows": [5, -5],
  "of random ones": Array.from({ length: 41 }, () => generator.normal()),
  "that are equal": new Array(9).fill(2),
  "of which most are equal": [...new Array(17).fill(2), 3, 3, -1],
  "of zeros": [0, 0, 0, 0],
  "of rank one": [7, ...new Array(11).fill(0)],
  "over many orders": Array.from({ length: 15 }, (_, i) => 10 ** -i),
  "that are tiny": Array.from({ length: 5 }, () => 1e-140 * generator.normal()),
  "that are huge": Array.from({ length: 5 }, () => 1e140 * generator.normal()),
};

for (const [name, values] of Object.entries(VALUES)) {
  Deno.test(`a matrix made of eigenvalues ${name} has them`, () => {
    const matrix = withEigenvalues(values), n = values.length;
    const largest = Math.max(...values.map(Math.abs)) || 1, wanted = sorted(values);
    sorted(symmetricEigenvalues(matrix, n)).forEach((value, i) => {
      assertAlmostEquals(value / largest, wanted[i] / largest, 1e-14 * n);
    });
  });
}

Deno.test("the eigenvalues of a diagonal matrix are its diagonal", () => {
  const diagonal = symmetric(6, (i, j) => i === j ? 6 - i : 0);
  assertEquals(sorted(symmetricEigenvalues(diagonal, 6)), [1, 2, 3, 4, 5, 6]);
  assertEquals(symmetricEigenvalues(new Float64Array(), 0).length, 0);
});

Deno.test("the eigenvalues of a chain of springs are those of its closed form", () => {
  const n = 30;
  const chain = symmetric(n, (i, j) => i === j ? 2 : i === j + 1 ? -1 : 0);
  const values = sorted(symmetricEigenvalues(chain, n));
  values.forEach((value, k) => {
    assertAlmostEquals(value, 2 - 2 * Math.cos((k + 1) * Math.PI / (n + 1)), 1e-13);
  });
});

Deno.test("a matrix that is not finite is refused rather than searched for ever", () => {
  assertThrows(() => symmetricEigenvalues(symmetric(3, () => NaN), 3), RangeError, "matrix [3, 3]");
});

Deno.test("the matrix that was given stays as it was", () => {
  const matrix = symmetric(4, () => generator.normal()), before = matrix.slice();
  symmetricEigenvalues(matrix, 4);
  assertEquals(matrix, before);
});

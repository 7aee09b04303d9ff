import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { HostGenerator } from "../../engine/mod.ts";
import { symmetricEigen } from "../../metrics/symmetric_eigen.ts";

const generator = new HostGenerator(5);

/** The largest element of V V^T - I, and of V^T diag(values) V - matrix over the largest of the matrix. */
function errors(matrix: Float64Array, n: number): { orthogonality: number; residual: number } {
  const { values, vectors } = symmetricEigen(matrix, n);
  let orthogonality = 0, residual = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let product = i === j ? -1 : 0, difference = -matrix[i * n + j];
      for (let k = 0; k < n; k++) {
        product += vectors[i * n + k] * vectors[j * n + k];
        difference += values[k] * vectors[k * n + i] * vectors[k * n + j];
      }
      orthogonality = Math.max(orthogonality, Math.abs(product));
      residual = Math.max(residual, Math.abs(difference));
    }
  }
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { orthogonality, residual: largest > 0 ? residual / largest : residual };
}

function symmetric(n: number, element: (i: number, j: number) => number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = element(i, j);
  }
  return matrix;
}

const MATRICES: Record<string, [number, (i: number, j: number) => number]> = {
  "of one number": [1, () => -3],
  "of two rows with one number off the diagonal": [2, (i, j) => i === j ? 0 : 5],
  "of random numbers": [41, () => generator.normal()],
  "that is diagonal": [6, (i, j) => i === j ? 6 - i : 0],
  "with equal eigenvalues": [9, (i, j) => i === j ? 2 : 0],
  "of zeros": [4, () => 0],
  "of rank one": [12, (i, j) => (i + 1) * (j + 1)],
  "over many orders": [15, (i, j) => 10 ** -(i + j) * (i === j ? 1 : 0.3)],
  "of tiny numbers": [5, () => 1e-140 * generator.normal()],
  "of huge numbers": [5, () => 1e140 * generator.normal()],
};

for (const [name, [n, element]] of Object.entries(MATRICES)) {
  Deno.test(`a symmetric matrix ${name} is the sum of its eigenvectors' squares`, () => {
    const { orthogonality, residual } = errors(symmetric(n, element), n);
    assertAlmostEquals(orthogonality, 0, 1e-13);
    assertAlmostEquals(residual, 0, 1e-13);
  });
}

Deno.test("the eigenvalues of a chain of springs are those of its closed form", () => {
  const n = 30;
  const chain = symmetric(n, (i, j) => i === j ? 2 : i === j + 1 ? -1 : 0);
  const values = [...symmetricEigen(chain, n).values].sort((a, b) => a - b);
  values.forEach((value, k) => {
    assertAlmostEquals(value, 2 - 2 * Math.cos((k + 1) * Math.PI / (n + 1)), 1e-13);
  });
});

Deno.test("a matrix that is not finite is refused rather than searched for ever", () => {
  assertThrows(() => symmetricEigen(symmetric(3, () => NaN), 3), RangeError, "matrix [3, 3]");
});

Deno.test("the matrix that was given stays as it was", () => {
  const matrix = symmetric(4, () => generator.normal()), before = matrix.slice();
  symmetricEigen(matrix, 4);
  assertEquals(matrix, before);
});

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { HostGenerator } from "../../engine/mod.ts";
import { dot, rowProducts, transposed } from "../../metrics/rows.ts";

const generator = new HostGenerator(7);
const matrix = (rows: number, length: number): Float64Array =>
  Float64Array.from({ length: rows * length }, () => generator.normal());

Deno.test("products of rows are those of each two rows, bit by bit", () => {
  for (const [rows, columns, length] of [[1, 1, 1], [3, 5, 7], [4, 8, 9], [6, 2, 65]]) {
    const a = matrix(rows, length), b = matrix(columns, length);
    const products = rowProducts(a, b, { length });
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const [x, y] = [[a, i], [b, j]].map(([of, k]) =>
          (of as Float64Array).subarray(k as number * length, (k as number + 1) * length)
        );
        assertEquals(products[i * columns + j], dot(x, y));
      }
    }
  }
});

Deno.test("the triangle of a symmetric product is the whole product", () => {
  const a = matrix(11, 6);
  const whole = rowProducts(a, a, { length: 6 });
  rowProducts(a, a, { length: 6, triangle: true })
    .forEach((value, i) => assertAlmostEquals(value, whole[i], 1e-14));
});

Deno.test("columns become rows", () => {
  assertEquals([...transposed(Float64Array.of(1, 2, 3, 4, 5, 6), 3)], [1, 4, 2, 5, 3, 6]);
});

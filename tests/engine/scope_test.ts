// What a kernel's body knows of its whole numbers, against the numbers themselves.

import { assertEquals } from "@std/assert";
import { Index } from "../../engine/compile/index_expression.ts";
import { Scope } from "../../engine/compile/scope.ts";

/** Computes what statements of whole numbers come to. */
function evaluate(scope: Scope, values: Record<string, number>): (text: string) => number {
  const known = new Map(Object.entries(values));
  const number = (text: string): number => {
    const terms = text.split(" + ").map((term) =>
      term.split(/ (?=[*/%])/).reduce((total, part, at) => {
        const [sign, operand] = at === 0 ? ["", part] : part.split(" ");
        const value = /^\d+u$/.test(operand) ? parseInt(operand) : known.get(operand)!;
        if (sign === "*") return total * value;
        if (sign === "/") return Math.floor(total / value);
        return sign === "%" ? total % value : value;
      }, 0)
    );
    return terms.reduce((a, b) => a + b);
  };
  for (const line of scope.lines) {
    const [, name, expression] = line.match(/^let (\w+) = (.*);$/)!;
    known.set(name, number(expression));
  }
  return number;
}

Deno.test("quotients and rests of neighbours are theirs, and what is said of them is true", () => {
  for (const by of [1, 2, 3, 4, 6, 8, 12, 36]) {
    for (const factor of [1, 3]) {
      for (let lane = 0; lane < 4; lane++) {
        const scope = new Scope();
        const at = scope.sum([["i", 4 * factor], [`${lane}u`, 1]]);
        const texts = [scope.quotient(at, by), scope.rest(at, by), scope.sum([[at, 6], ["j", 8]])];
        for (let i = 0; i < 40; i++) {
          const value = evaluate(scope, { i, j: 5 });
          const number = 4 * factor * i + lane;
          const wanted = [Math.floor(number / by), number % by, 6 * number + 40];
          assertEquals(texts.map(value), wanted, `${number} by ${by}`);
          for (const text of texts) {
            const { base, multiple, add } = scope.parts(text);
            if (multiple > 0) assertEquals(value(base) % multiple, 0);
            assertEquals((base === "0u" ? 0 : value(base)) + add, value(text));
          }
        }
      }
    }
  }
});

Deno.test("neighbours along the last axis share their other coordinates", () => {
  const scope = new Scope(), shape = [5, 3, 2, 8];
  const at = scope.sum([["i", 4]]);
  const places = [0, 1, 2, 3].map((lane) =>
    Index.linear(scope, shape, scope.sum([[at, 1], [`${lane}u`, 1]])).coordinates
  );
  for (const place of places) assertEquals(place.slice(0, 3), places[0].slice(0, 3));
  const { base, multiple } = scope.parts(places[0][3]);
  assertEquals(
    places.map((place) => scope.parts(place[3])),
    [0, 1, 2, 3].map((add) => ({ base, multiple, add })),
  );
});

Deno.test("a shape that an index came from is found again without arithmetic", () => {
  const scope = new Scope(), coordinates = ["n", "c", "h", "a", "w", "b"];
  const index = Index.at(scope, [4, 3, 5, 2, 7, 2], coordinates);
  const picture = index.reshaped([4, 3, 10, 14]);
  assertEquals(picture.reshaped([4, 3, 5, 2, 7, 2]).coordinates, coordinates);
});

Deno.test("what does not depend on a loop's counter is named before it", () => {
  const scope = new Scope();
  scope.open("r", 4);
  const row = scope.name("o * 7u", "at");
  const inside = scope.name(`${row} + r`, "at");
  const { lines, names } = scope.close();
  assertEquals(scope.lines, [`let ${row} = o * 7u;`]);
  assertEquals(lines, [`let ${inside} = ${row} + r;`]);
  assertEquals([...names], ["r", inside]);
  assertEquals(scope.name("o * 7u", "at"), row);
  scope.open("r", 4);
  assertEquals(scope.name(`${row} + r`, "at") === inside, false);
});

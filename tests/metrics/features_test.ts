import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { HostGenerator } from "../../engine/mod.ts";
import {
  accuracyOf,
  confusion,
  featureMoments,
  frechetDistance,
  kernelDistance,
  manifoldScores,
  nearest,
  recallByClass,
} from "../../metrics/mod.ts";
import golden from "./features.json" with { type: "json" };

function normal(count: number, seed: number): Float32Array {
  const generator = new HostGenerator(seed);
  return Float32Array.from({ length: count }, () => generator.normal());
}

Deno.test("kernel distance, precision, recall, density, coverage and neighbours are PyTorch's", () => {
  for (const { dimensions, real, fake, kernelDistance: wanted, manifold, l1, l2 } of golden) {
    if (wanted !== null) {
      const { value } = kernelDistance(real, fake, { dimensions, blocks: 1 });
      assertAlmostEquals(value, wanted, 1e-10);
    }
    for (const { neighbours, coverageNeighbours, ...scores } of manifold) {
      const got = manifoldScores(real, fake, { dimensions, neighbours, coverageNeighbours });
      for (const [name, score] of Object.entries(scores)) {
        assertAlmostEquals(got[name as keyof typeof got], score, 1e-12, name);
      }
    }
    for (const [norm, found] of [["l1", l1], ["l2", l2]] as const) {
      const [queries, vectors] = [fake, real].map((numbers) => Float32Array.from(numbers));
      const { index, distance } = nearest(queries, vectors, { length: dimensions, norm });
      assertEquals([...index], found.index);
      distance.forEach((d, i) => assertAlmostEquals(d, found.distance[i], 1e-5));
    }
  }
});

Deno.test("a set is as near to itself as can be", () => {
  const dimensions = 8, x = normal(60 * dimensions, 1);
  const moments = featureMoments(x, { dimensions });
  assertAlmostEquals(frechetDistance(moments, moments), 0, 1e-6);
  const { precision, recall, density, coverage } = manifoldScores(x, x, { dimensions });
  assertEquals([precision, recall, coverage], [1, 1, 1]);
  assert(density >= 1);
});

Deno.test("far sets share no neighbourhood", () => {
  const dimensions = 4, x = normal(40 * dimensions, 2), far = x.map((value) => value + 1000);
  assertEquals(manifoldScores(x, far, { dimensions }), {
    precision: 0,
    recall: 0,
    density: 0,
    coverage: 0,
  });
});

Deno.test("samples that collapsed onto few real pictures are precise, but recall and cover little", () => {
  const dimensions = 4, real = normal(80 * dimensions, 3);
  const fake = Float32Array.from(real, (_, i) => real[i % (8 * dimensions)] + 1e-3 * (i % 7));
  const { precision, recall, coverage } = manifoldScores(real, fake, { dimensions });
  assertEquals(precision, 1);
  assert(recall < 0.2 && coverage < 0.6, `${recall} ${coverage}`);
});

Deno.test("the kernel distance has no bias, and its error says how far off it is", () => {
  const dimensions = 5, count = 60;
  const off = Array.from({ length: 40 }, (_, seed) => {
    const [x, y] = [normal(count * dimensions, 2 * seed), normal(count * dimensions, 2 * seed + 1)];
    const { value, standardError } = kernelDistance(x, y, { dimensions, blocks: 6 });
    return value / standardError;
  });
  const mean = off.reduce((sum, x) => sum + x, 0) / off.length;
  assert(Math.abs(mean) < 3 * 1.25 / Math.sqrt(off.length), `${mean}`);
  const spread = Math.sqrt(off.reduce((sum, x) => sum + (x - mean) ** 2, 0) / off.length);
  assert(spread > 0.5 && spread < 2, `${spread}`);
});

Deno.test("blocks are disjoint, in an order of the seed, and cut off what does not fill them", () => {
  const x = normal(50 * 3, 5), y = normal(45 * 3, 6), dimensions = 3;
  const first = kernelDistance(x, y, { dimensions, blocks: 4, seed: 1 });
  assertEquals([first.blocks, first.blockSize], [4, 11]);
  assertEquals(kernelDistance(x, y, { dimensions, blocks: 4, seed: 1 }), first);
  assert(kernelDistance(x, y, { dimensions, blocks: 4, seed: 2 }).value !== first.value);
  assertEquals(kernelDistance(x.subarray(0, 9), y, { dimensions }).blocks, 1);
});

Deno.test("a vector finds its copy, and nothing where nothing is near enough", () => {
  const length = 150,
    vectors = Uint8Array.from({ length: 20 * length }, (_, i) => (i * i * 31) % 251);
  const queries = vectors.slice(7 * length, 9 * length);
  queries[0] ^= 1;
  for (const norm of ["l1", "l2"] as const) {
    const { index, distance } = nearest(queries, vectors, { length, norm });
    assertEquals([[...index], [...distance]], [[7, 8], [1, 0]]);
    const near = nearest(queries, vectors, { length, norm, within: 1 });
    assertEquals([[...near.index], [...near.distance]], [[-1, 8], [Infinity, 0]]);
  }
});

Deno.test("what is passed over changes no neighbour, and of equally near ones the first is found", () => {
  const generator = new HostGenerator(9);
  const draws = {
    // Few levels, and vectors that come again, make ties.
    bytes: (count: number) => Uint8Array.from({ length: count }, () => 3 * generator.uniform()),
    reals: (count: number) => Float32Array.from({ length: count }, () => generator.normal()),
  };
  for (const [kind, draw] of Object.entries(draws)) {
    for (
      const [length, width] of [[1], [3], [64], [65], [200], [3 * 49, 7], [3 * 256, 16], [300, 10]]
    ) {
      const vectors = draw(40 * length), queries = draw(15 * length);
      for (const [from, to] of [[3, 30], [3, 11], [20, 21]]) {
        vectors.copyWithin(to * length, from * length, (from + 1) * length);
      }
      queries.set(vectors.subarray(3 * length, 4 * length), 2 * length);
      for (const norm of ["l1", "l2"] as const) {
        for (const options of [{}, { except: 3 }, { within: 0.7 * length }]) {
          const { index, distance } = nearest(queries, vectors, {
            length,
            width,
            norm,
            ...options,
          });
          const plain = plainNearest(queries, vectors, { length, norm, ...options });
          assertEquals([...index], plain.map(({ index }) => index), `${kind} ${length} ${norm}`);
          plain.forEach((it, i) => assertAlmostEquals(distance[i], it.distance, 1e-9));
        }
      }
    }
  }
});

/** Nearest neighbours by every distance in full. */
function plainNearest(
  queries: Uint8Array | Float32Array,
  vectors: Uint8Array | Float32Array,
  options: { length: number; norm: "l1" | "l2"; within?: number; except?: number },
): { index: number; distance: number }[] {
  const { length, norm, within = Infinity, except } = options, power = norm === "l1" ? 1 : 2;
  const rows = (of: Uint8Array | Float32Array) =>
    Array.from(
      { length: of.length / length },
      (_, i) => [...of.slice(i * length, i * length + length)],
    );
  return rows(queries).map((query) => {
    let found = { index: -1, distance: Infinity };
    rows(vectors).forEach((vector, index) => {
      const sum = query.reduce((sum, x, k) => sum + Math.abs(x - vector[k]) ** power, 0);
      const distance = sum ** (1 / power);
      if (index !== except && distance < within && distance < found.distance) {
        found = { index, distance };
      }
    });
    return found;
  });
}

Deno.test("a confusion table counts what is known, and shares of nothing are no number", () => {
  const counts = confusion([0, 0, 1, -1, 0], [0, 1, 1, 0, 0], { classes: 3 });
  assertEquals(counts, [[2, 1, 0], [0, 1, 0], [0, 0, 0]]);
  assertAlmostEquals(accuracyOf(counts), 3 / 4);
  assertEquals(recallByClass(counts), [2 / 3, 1, NaN]);
});

Deno.test("features that make no sense are refused by what is wrong", () => {
  const refused = (run: () => unknown, message: string): void => {
    assertThrows(run, RangeError, message);
  };
  refused(() => kernelDistance([1, 2, 3], [1, 2], { dimensions: 2 }), "3 numbers as features of 2");
  refused(
    () => kernelDistance([1, 2], [1, NaN], { dimensions: 1 }),
    "dimension 0 of vector 1 is NaN",
  );
  refused(
    () => manifoldScores([1, 2, 3, 4, 5], [1], { dimensions: 1 }),
    "at least 6 whole vectors",
  );
  refused(
    () => nearest(Uint8Array.of(1), new Uint8Array(), { length: 1, norm: "l1" }),
    "one to find",
  );
  refused(
    () => nearest(new Uint8Array(6), new Uint8Array(6), { length: 6, width: 4, norm: "l1" }),
    "of 6, in rows of 4",
  );
});

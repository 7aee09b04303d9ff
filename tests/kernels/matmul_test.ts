import { type MatmulGeometry, matmulVariants } from "../../engine/kernels/matmul.ts";
import { checkMatmul } from "./checks.ts";
import { KernelHarness } from "./harness.ts";

interface Case extends Pick<MatmulGeometry, "batch" | "m" | "n" | "k" | "sharedA" | "sharedB"> {
  /** Which operands are stored transposed; by default none. */
  readonly stored?: readonly ("ab" | "aTb" | "abT" | "aTbT")[];
}

const cases: Record<string, Case> = {
  "a single number": { batch: 1, m: 1, n: 1, k: 1 },
  "a row by a column": { batch: 1, m: 1, n: 1, k: 1000 },
  "primes": { batch: 1, m: 13, n: 17, k: 29, stored: ["ab", "aTb", "abT", "aTbT"] },
  "multiples of four": { batch: 1, m: 20, n: 12, k: 8, stored: ["ab", "aTb", "abT", "aTbT"] },
  "sides larger than a tile": { batch: 1, m: 70, n: 97, k: 31 },
  "sides that tiles divide": { batch: 1, m: 128, n: 64, k: 16, stored: ["aTb"] },
  "a deep product of small sides": { batch: 1, m: 5, n: 8, k: 3001, stored: ["abT"] },
  "a batch": { batch: 3, m: 6, n: 8, k: 5, stored: ["ab", "aTbT"] },
  "a batch that shares a": { batch: 3, m: 8, n: 5, k: 7, sharedA: true, stored: ["aTb"] },
  "a batch that shares b": { batch: 4, m: 3, n: 16, k: 6, sharedB: true, stored: ["ab", "abT"] },
};

for (const variant of matmulVariants) {
  Deno.test(`matmul, ${variant}, agrees with float64`, async (t) => {
    const harness = await KernelHarness.open();
    try {
      for (const [name, { stored: forms = ["ab"], ...sizes }] of Object.entries(cases)) {
        for (const stored of forms) {
          const geometry = {
            ...sizes,
            transposeA: stored.startsWith("aT"),
            transposeB: stored.endsWith("bT"),
          };
          await t.step(
            `${name}, stored ${stored}`,
            () => checkMatmul(harness, geometry, { variant }),
          );
        }
      }
      if (variant !== "tiled") {
        const deep = {
          ...cases["a deep product of small sides"],
          transposeA: false,
          transposeB: true,
        };
        await t.step(
          "a deep product of small sides, in texels",
          () => checkMatmul(harness, deep, { variant, texels: true }),
        );
      }
      const geometry = { ...cases.primes, transposeA: false, transposeB: false };
      await t.step(
        "a grid folded over two dimensions",
        () => checkMatmul(harness, geometry, { variant, maxWorkgroups: 2 }),
      );
    } finally {
      harness.close();
    }
  });
}

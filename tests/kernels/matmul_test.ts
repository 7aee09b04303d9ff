import { matmul, type MatmulGeometry, matmulVariants } from "../../engine/kernels/matmul.ts";
import { assertClose, KernelHarness, noise } from "./harness.ts";

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
          await t.step(`${name}, stored ${stored}`, () => check(harness, geometry, { variant }));
        }
      }
      const geometry = { ...cases.primes, transposeA: false, transposeB: false };
      await t.step(
        "a grid folded over two dimensions",
        () => check(harness, geometry, { variant, maxWorkgroups: 2 }),
      );
    } finally {
      harness.close();
    }
  });
}

async function check(
  harness: KernelHarness,
  g: MatmulGeometry,
  options: { variant: string; cpu?: boolean; maxWorkgroups?: number },
): Promise<void> {
  const aData = noise((g.sharedA ? 1 : g.batch) * g.m * g.k, 1);
  const bData = noise((g.sharedB ? 1 : g.batch) * g.k * g.n, 2);
  const a = { bytes: aData.byteLength }, b = { bytes: bData.byteLength };
  const out = { bytes: 4 * g.batch * g.m * g.n };
  const dispatches = matmul(harness.context(options.variant, options), g, { a, b, out });
  assertClose(
    await harness.run(dispatches, new Map([[a, aData], [b, bData]]), { out }),
    reference(g, { a: aData, b: bData }),
    { terms: g.k, what: "product" },
  );
}

function reference(
  g: MatmulGeometry,
  { a, b }: { a: Float32Array; b: Float32Array },
): Float64Array {
  const { batch, m, n, k } = g;
  const out = new Float64Array(batch * m * n);
  for (let s = 0; s < batch; s++) {
    const aStart = g.sharedA ? 0 : s * m * k, bStart = g.sharedB ? 0 : s * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let q = 0; q < k; q++) {
          out[(s * m + i) * n + j] += a[aStart + (g.transposeA ? q * m + i : i * k + q)] *
            b[bStart + (g.transposeB ? j * k + q : q * n + j)];
        }
      }
    }
  }
  return out;
}

// What a matrix product needs to know of its operands.

/** `out[batch, m, n]` from operands over a common depth `k`. */
export interface MatmulGeometry {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** a is stored `[k, m]`, not `[m, k]`. */
  readonly transposeA: boolean;
  /** b is stored `[n, k]`, not `[k, n]`. */
  readonly transposeB: boolean;
  /** One a (or b) serves the whole batch: its slot holds a single matrix. */
  readonly sharedA?: boolean;
  readonly sharedB?: boolean;
}

/** Floating-point operations of the product. */
export function matmulFlops({ batch, m, n, k }: MatmulGeometry): number {
  return 2 * batch * m * n * k;
}

/** Numbers of the operands and of the products, each of the batch with operands of its own. */
export function matmulElements(
  { batch, m, n, k }: MatmulGeometry,
): Readonly<Record<"a" | "b" | "products", number>> {
  return { a: batch * m * k, b: batch * k * n, products: batch * m * n };
}

/** The geometry in one line, for plans: `4x [128x64]T x [64x32] shared b`. */
export function describeMatmul(g: MatmulGeometry): string {
  const a = g.transposeA ? `[${g.k}x${g.m}]T` : `[${g.m}x${g.k}]`;
  const b = g.transposeB ? `[${g.n}x${g.k}]T` : `[${g.k}x${g.n}]`;
  const shared = (g.sharedA ? " shared a" : "") + (g.sharedB ? " shared b" : "");
  return `${g.batch > 1 ? `${g.batch}x ` : ""}${a} x ${b}${shared}`;
}

/** Distances, in elements, between an operand's neighbours along the batch, its side and the depth. */
export function matmulStrides(g: MatmulGeometry): {
  readonly a: { readonly slice: number; readonly row: number; readonly step: number };
  readonly b: { readonly slice: number; readonly column: number; readonly step: number };
} {
  return {
    a: {
      slice: g.sharedA ? 0 : g.m * g.k,
      ...(g.transposeA ? { row: 1, step: g.m } : { row: g.k, step: 1 }),
    },
    b: {
      slice: g.sharedB ? 0 : g.n * g.k,
      ...(g.transposeB ? { column: g.k, step: 1 } : { column: 1, step: g.n }),
    },
  };
}

/** The geometry under the names that the products' shaders use. */
export function matmulValues(g: MatmulGeometry): Record<string, number> {
  const { a, b } = matmulStrides(g);
  return {
    ...{ M: g.m, N: g.n, K: g.k },
    ...{ A_SLICE: a.slice, A_ROW: a.row, A_STEP: a.step },
    ...{ B_SLICE: b.slice, B_COLUMN: b.column, B_STEP: b.step },
  };
}

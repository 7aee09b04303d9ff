// The operands of a batched matrix product, for gemm_tiled.wgsl: slices are the batch. Where a side is a
// multiple of 4, all of a quad is inside or nothing.
//
// Matrices of A may be A_PARTS that lie side by side: the batch has the first of them in all A_MATRICES, then the
// next; or the last first, where A_REVERSED.

struct AQuad {
  start: u32,
  m: u32,
}

fn a_quad(slice: u32, m: u32) -> AQuad {
  //: if A_PARTS > 1
  //: if A_REVERSED
  let part = ${A_PARTS - 1} - slice / $A_MATRICES;
  //: else
  let part = slice / $A_MATRICES;
  //: end
  return AQuad(slice % $A_MATRICES * $A_SLICE + part * $M + m * $A_ROW, m);
  //: else
  return AQuad(slice * $A_SLICE + m * $A_ROW, m);
  //: end
}

fn load_a(quad: AQuad, k: u32, k_end: u32) -> vec4f {
  let at = quad.start + k * $A_STEP;
  //: if A_QUADS
  let inside = ($WHOLE_M | (quad.m < $M)) & ($WHOLE_K | (k < k_end));
  return select(vec4f(), a[select(0, at / 4, inside)], inside);
  //: else
  var values: vec4f;
  //: for j in 0..4
  let inside$j = ($WHOLE_M | (quad.m + ${j * (M % 4 > 0)} < $M)) & ($WHOLE_K | (k < k_end));
  values[$j] = select(0, a[select(0, at + ${j * A_ROW}, inside$j)], inside$j);
  //: end
  return values;
  //: end
}

struct BQuad {
  start: u32,
  n: u32,
}

fn b_quad(slice: u32, n: u32) -> BQuad {
  return BQuad(slice * $B_SLICE + n * $B_COLUMN, n);
}

fn load_b(quad: BQuad, k: u32, k_end: u32) -> vec4f {
  let at = quad.start + k * $B_STEP;
  //: if B_QUADS
  let inside = ($WHOLE_N | (quad.n < $N)) & ($WHOLE_K | (k < k_end));
  return select(vec4f(), b[select(0, at / 4, inside)], inside);
  //: else
  var values: vec4f;
  //: for j in 0..4
  let inside$j = ($WHOLE_N | (quad.n + ${j * (N % 4 > 0)} < $N)) & ($WHOLE_K | (k < k_end));
  values[$j] = select(0, b[select(0, at + ${j * B_COLUMN}, inside$j)], inside$j);
  //: end
  return values;
  //: end
}

fn place(slice: u32, m: u32, n: u32) -> u32 {
  return select(nowhere, (slice * $M + m) * $N + n, (m < $M) & (n < $N));
}

// The operands of a convolution's gradient for its input, for gemm_tiled.wgsl. Rows are input channels,
// columns are input positions, the depth is (output channel, tap). With stride s, the positions s u + p of
// one parity p (a slice) are reached only by taps s a + r, where r = (p + padding) % s, from output
// u + floor((p + padding) / s) - a: so each slice has taps of its own, and none multiplies by the zeros
// in between. Where the stride is 1, tap a stands at distance a times the dilation (STEP_H, STEP_W).
//
// A is the weight, B grad.

struct AQuad {
  m: u32,
  kh: u32,
  kw: u32,
}

fn a_quad(slice: u32, m: u32) -> AQuad {
  return AQuad(m, (slice / $SW + $PH) % $SH, (slice % $SW + $PW) % $SW);
}

fn load_a(quad: AQuad, k: u32, k_end: u32) -> vec4f {
  let channel = k / ${TAPS_H * TAPS_W};
  let kh = quad.kh + k / $TAPS_W % $TAPS_H * $SH;
  let kw = quad.kw + k % $TAPS_W * $SW;
  let at = ((channel * $IN_CHANNELS + quad.m) * $KH + kh) * $KW + kw;
  let within = (kh < $KH) & (kw < $KW) & ($WHOLE_K | (k < k_end));
  var values: vec4f;
  //: if A_QUADS
  let inside = within & ($WHOLE_M | (quad.m < $M));
  values = select(vec4f(), a[select(0, at / 4, inside)], inside);
  //: else
  //: for j in 0..4
  let inside$j = within & ($WHOLE_M | (quad.m + ${j * (M % 4 > 0)} < $M));
  values[$j] = select(0, a[select(0, at + ${j * KH * KW}, inside$j)], inside$j);
  //: end
  //: end
  return values;
}

// Four positions: the output that tap 0 leads the first one to, as an index of grad, and as a row, far
// outside where there is none, and a column. Unless rows of a slice are whole quads, each has its own.
struct BQuad {
  //: for p in 0..POSITIONS
  start$p: i32,
  row$p: i32,
  column$p: i32,
  //: end
}

fn b_quad(slice: u32, n: u32) -> BQuad {
  var quad: BQuad;
  //: for p in 0..POSITIONS
  let image$p = (n + $p) / ${U_H * U_W};
  let row$p = i32((n + $p) / $U_W % $U_H + (slice / $SW + $PH) / $SH);
  quad.column$p = i32((n + $p) % $U_W + (slice % $SW + $PW) / $SW);
  quad.start$p = (i32(image$p * ${OUT_CHANNELS * OH}) + row$p) * $OW + quad.column$p;
  quad.row$p = select(-0x1000000, row$p, image$p < $BATCH);
  //: end
  return quad;
}

fn load_b(quad: BQuad, k: u32, k_end: u32) -> vec4f {
  let up = i32(k / $TAPS_W % $TAPS_H * $STEP_H);
  let left = i32(k % $TAPS_W * $STEP_W);
  let step = (i32(k / ${TAPS_H * TAPS_W}) * $OH - up) * $OW - left;
  let within = $WHOLE_K | (k < k_end);
  var values: vec4f;
  //: for p in 0..POSITIONS
  let down_inside$p = within & (u32(quad.row$p - up) < $OH);
  //: if B_QUADS
  values = select(vec4f(), b[select(0, (quad.start$p + step) / 4, down_inside$p)], down_inside$p);
  //: else
  //: for j in 0..4 / POSITIONS
  let inside${p + j} = down_inside$p & (u32(quad.column$p - left + $j) < $OW);
  values[${p + j}] = select(0, b[select(0, quad.start$p + step + $j, inside${p + j})], inside${p + j});
  //: end
  //: end
  //: end
  return values;
}

fn place(slice: u32, m: u32, n: u32) -> u32 {
  let image = n / ${U_H * U_W};
  let h = n / $U_W % $U_H * $SH + slice / $SW;
  let w = n % $U_W * $SW + slice % $SW;
  let at = ((image * $IN_CHANNELS + m) * $H + h) * $W + w;
  let inside = (m < $IN_CHANNELS) & (image < $BATCH) & (h < $H) & (w < $W);
  return select(nowhere, at, inside);
}

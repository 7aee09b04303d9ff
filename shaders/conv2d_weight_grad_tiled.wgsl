// The operands of a convolution's gradient for its weight, for gemm_tiled.wgsl: A is grad, [output
// channel, (image, row, column)]; B is x as the windows see it, [(image, row, column), (channel, kh,
// kw)]. The depth is far longer than the sides: this product lives by being split.

struct AQuad {
  start: u32,
  m: u32,
}

fn a_quad(slice: u32, m: u32) -> AQuad {
  return AQuad(m * ${OH * OW}, m);
}

fn load_a(quad: AQuad, k: u32, k_end: u32) -> vec4f {
  let at = k / ${OH * OW} * ${OUT_CHANNELS * OH * OW} + quad.start + k % ${OH * OW};
  var values: vec4f;
  //: for j in 0..4
  let inside$j = ($WHOLE_M | (quad.m + ${j * (M % 4 > 0)} < $M)) & ($WHOLE_K | (k < k_end));
  values[$j] = select(0, a[select(0, at + ${j * OH * OW}, inside$j)], inside$j);
  //: end
  return values;
}

// Four weights: how far each one's tap lies from a window's corner, far outside where there is none, and
// where that is in an image.
struct BQuad {
  //: for j in 0..4
  start$j: i32,
  down$j: i32,
  right$j: i32,
  //: end
}

fn b_quad(slice: u32, n: u32) -> BQuad {
  var quad: BQuad;
  //: for j in 0..4
  let channel$j = (n + $j) / ${KH * KW};
  let down$j = i32((n + $j) / $KW % $KH * $DH) - $PH;
  quad.right$j = i32((n + $j) % $KW * $DW) - $PW;
  quad.start$j = (i32(channel$j) * $H + down$j) * $W + quad.right$j;
  quad.down$j = select(-0x1000000, down$j, channel$j < $IN_CHANNELS);
  //: end
  return quad;
}

fn load_b(quad: BQuad, k: u32, k_end: u32) -> vec4f {
  let top = i32(k / $OW % $OH * $SH);
  let left = i32(k % $OW * $SW);
  let at = i32(k / ${OH * OW} * ${IN_CHANNELS * H * W}) + top * $W + left;
  let within = $WHOLE_K | (k < k_end);
  var values: vec4f;
  //: for j in 0..4
  let inside$j = within & (u32(quad.down$j + top) < $H) & (u32(quad.right$j + left) < $W);
  values[$j] = select(0, b[select(0, quad.start$j + at, inside$j)], inside$j);
  //: end
  return values;
}

fn place(slice: u32, m: u32, n: u32) -> u32 {
  return select(nowhere, m * $N + n, (m < $OUT_CHANNELS) & (n < $N));
}

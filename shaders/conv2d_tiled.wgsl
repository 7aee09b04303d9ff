// The operands of a convolution, for gemm_tiled.wgsl: A is the weight as it lies, [output channel,
// (channel, kh, kw)]; B, never stored, is x as the windows see it, [(channel, kh, kw), (image, row,
// column)].

struct AQuad {
  start: u32,
  m: u32,
}

fn a_quad(slice: u32, m: u32) -> AQuad {
  return AQuad(m * $K, m);
}

fn load_a(quad: AQuad, k: u32, k_end: u32) -> vec4f {
  var values: vec4f;
  //: for j in 0..4
  let inside$j = ($WHOLE_M | (quad.m + ${j * (M % 4 > 0)} < $M)) & ($WHOLE_K | (k < k_end));
  values[$j] = select(0, a[select(0, quad.start + k + ${j * K}, inside$j)], inside$j);
  //: end
  return values;
}

// Four output positions: the input position of the first one's corner, as an index of x, and as a row, far
// outside where there is none, and a column. Unless rows of the output are whole quads, each has its own.
struct BQuad {
  //: for p in 0..POSITIONS
  start$p: i32,
  top$p: i32,
  left$p: i32,
  //: end
}

fn b_quad(slice: u32, n: u32) -> BQuad {
  var quad: BQuad;
  //: for p in 0..POSITIONS
  let image$p = (n + $p) / ${OH * OW};
  let top$p = i32((n + $p) / $OW % $OH * $SH) - $PH;
  quad.left$p = i32((n + $p) % $OW * $SW) - $PW;
  quad.start$p = (i32(image$p * ${IN_CHANNELS * H}) + top$p) * $W + quad.left$p;
  quad.top$p = select(-0x1000000, top$p, image$p < $BATCH);
  //: end
  return quad;
}

fn load_b(quad: BQuad, k: u32, k_end: u32) -> vec4f {
  let down = i32(k / $KW % $KH * $DH);
  let right = i32(k % $KW * $DW);
  let step = (i32(k / ${KH * KW}) * $H + down) * $W + right;
  let within = $WHOLE_K | (k < k_end);
  var values: vec4f;
  //: for p in 0..POSITIONS
  let down_inside$p = within & (u32(quad.top$p + down) < $H);
  //: if B_QUADS
  values = select(vec4f(), b[select(0, (quad.start$p + step) / 4, down_inside$p)], down_inside$p);
  //: else
  //: for j in 0..4 / POSITIONS
  let inside${p + j} = down_inside$p & (u32(quad.left$p + right + ${j * SW}) < $W);
  values[${p + j}] = select(0, b[select(0, quad.start$p + step + ${j * SW}, inside${p + j})], inside${p + j});
  //: end
  //: end
  //: end
  return values;
}

fn place(slice: u32, m: u32, n: u32) -> u32 {
  let image = n / ${OH * OW};
  let at = (image * $OUT_CHANNELS + m) * ${OH * OW} + n % ${OH * OW};
  return select(nowhere, at, (m < $OUT_CHANNELS) & (image < $BATCH));
}

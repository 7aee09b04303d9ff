// The operands of a convolution's gradient for its input, for gemm_tiled.wgsl. Rows are input channels,
// columns are input positions, the depth is (output channel, tap). With stride s, the positions s u + p of
// one parity p (a slice) are reached only by taps s a + r, where r = (p + padding) % s, from output
// u + floor((p + padding) / s) - a: so each slice has taps of its own, and none multiplies by the zeros
// in between. Where the stride is 1, tap a stands at distance a times the dilation (STEP_H, STEP_W).

@group(0) @binding(0) var<storage, read_write> a: array<f32>; // weight
@group(0) @binding(1) var<storage, read_write> b: array<f32>; // grad
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

const nowhere = 0xffffffffu;

struct ARow {
  channel: u32,
  kh: u32,
  kw: u32,
  inside: bool,
}

fn a_row(slice: u32, m: u32) -> ARow {
  return ARow(m, (slice / $SW + $PH) % $SH, (slice % $SW + $PW) % $SW, m < $IN_CHANNELS);
}

fn load_a(row: ARow, k: u32) -> f32 {
  let channel = k / ${TAPS_H * TAPS_W};
  let kh = row.kh + k / $TAPS_W % $TAPS_H * $SH;
  let kw = row.kw + k % $TAPS_W * $SW;
  if (row.inside & (k < $K) & (kh < $KH) & (kw < $KW)) {
    return a[((channel * $IN_CHANNELS + row.channel) * $KH + kh) * $KW + kw];
  }
  return 0.0;
}

// Where the image begins in grad, and the output that tap 0 leads to.
struct BColumn {
  image: i32,
  row: i32,
  column: i32,
  inside: bool,
}

fn b_column(slice: u32, n: u32) -> BColumn {
  let image = n / ${U_H * U_W};
  return BColumn(
    i32(image * ${OUT_CHANNELS * OH * OW}),
    i32(n / $U_W % $U_H + (slice / $SW + $PH) / $SH),
    i32(n % $U_W + (slice % $SW + $PW) / $SW),
    image < $BATCH,
  );
}

fn load_b(column: BColumn, k: u32) -> f32 {
  let channel = i32(k / ${TAPS_H * TAPS_W});
  let h = column.row - i32(k / $TAPS_W % $TAPS_H * $STEP_H);
  let w = column.column - i32(k % $TAPS_W * $STEP_W);
  if (column.inside & (k < $K) & (h >= 0) & (h < $OH) & (w >= 0) & (w < $OW)) {
    return b[column.image + (channel * $OH + h) * $OW + w];
  }
  return 0.0;
}

fn place(slice: u32, m: u32, n: u32) -> u32 {
  let image = n / ${U_H * U_W};
  let h = n / $U_W % $U_H * $SH + slice / $SW;
  let w = n % $U_W * $SW + slice % $SW;
  let at = ((image * $IN_CHANNELS + m) * $H + h) * $W + w;
  let inside = (m < $IN_CHANNELS) & (image < $BATCH) & (h < $H) & (w < $W);
  return select(nowhere, at, inside);
}

// The operands of a convolution's gradient for its weight, for gemm_tiled.wgsl: A is grad, [output
// channel, (image, row, column)]; B is x as the windows see it, [(image, row, column), (channel, kh,
// kw)]. The depth is far longer than the sides: this product lives by being split.

@group(0) @binding(0) var<storage, read_write> a: array<f32>; // grad
@group(0) @binding(1) var<storage, read_write> b: array<f32>; // x
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

const nowhere = 0xffffffffu;

struct ARow {
  start: u32,
  inside: bool,
}

fn a_row(slice: u32, m: u32) -> ARow {
  return ARow(m * ${OH * OW}, m < $OUT_CHANNELS);
}

fn load_a(row: ARow, k: u32) -> f32 {
  if (row.inside & (k < $K)) {
    return a[k / ${OH * OW} * ${OUT_CHANNELS * OH * OW} + row.start + k % ${OH * OW}];
  }
  return 0.0;
}

// A weight: where its channel begins in an image, and how far its tap lies from a window's corner.
struct BColumn {
  channel: i32,
  down: i32,
  right: i32,
  inside: bool,
}

fn b_column(slice: u32, n: u32) -> BColumn {
  let channel = n / ${KH * KW};
  return BColumn(
    i32(channel * ${H * W}),
    i32(n / $KW % $KH * $DH) - $PH,
    i32(n % $KW * $DW) - $PW,
    channel < $IN_CHANNELS,
  );
}

fn load_b(column: BColumn, k: u32) -> f32 {
  let image = i32(k / ${OH * OW});
  let h = column.down + i32(k / $OW % $OH * $SH);
  let w = column.right + i32(k % $OW * $SW);
  if (column.inside & (k < $K) & (h >= 0) & (h < $H) & (w >= 0) & (w < $W)) {
    return b[image * ${IN_CHANNELS * H * W} + column.channel + h * $W + w];
  }
  return 0.0;
}

fn place(slice: u32, m: u32, n: u32) -> u32 {
  return select(nowhere, m * $N + n, (m < $OUT_CHANNELS) & (n < $N));
}

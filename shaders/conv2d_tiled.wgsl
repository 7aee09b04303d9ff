// The operands of a convolution, for gemm_tiled.wgsl: A is the weight as it lies, [output channel,
// (channel, kh, kw)]; B, never stored, is x as the windows see it, [(channel, kh, kw), (image, row,
// column)].

@group(0) @binding(0) var<storage, read_write> a: array<f32>; // weight
@group(0) @binding(1) var<storage, read_write> b: array<f32>; // x
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

const nowhere = 0xffffffffu;

struct ARow {
  start: u32,
  inside: bool,
}

fn a_row(slice: u32, m: u32) -> ARow {
  return ARow(m * $K, m < $OUT_CHANNELS);
}

fn load_a(row: ARow, k: u32) -> f32 {
  if (row.inside & (k < $K)) {
    return a[row.start + k];
  }
  return 0.0;
}

// An output position: where its image begins, and the input position of its window's corner.
struct BColumn {
  image: i32,
  top: i32,
  left: i32,
  inside: bool,
}

fn b_column(slice: u32, n: u32) -> BColumn {
  let image = n / ${OH * OW};
  return BColumn(
    i32(image * ${IN_CHANNELS * H * W}),
    i32(n / $OW % $OH * $SH) - $PH,
    i32(n % $OW * $SW) - $PW,
    image < $BATCH,
  );
}

fn load_b(column: BColumn, k: u32) -> f32 {
  let channel = i32(k / ${KH * KW});
  let h = column.top + i32(k / $KW % $KH * $DH);
  let w = column.left + i32(k % $KW * $DW);
  if (column.inside & (k < $K) & (h >= 0) & (h < $H) & (w >= 0) & (w < $W)) {
    return b[column.image + (channel * $H + h) * $W + w];
  }
  return 0.0;
}

fn place(slice: u32, m: u32, n: u32) -> u32 {
  let image = n / ${OH * OW};
  let at = (image * $OUT_CHANNELS + m) * ${OH * OW} + n % ${OH * OW};
  return select(nowhere, at, (m < $OUT_CHANNELS) & (image < $BATCH));
}

// The operands of a batched matrix product, for gemm_tiled.wgsl: slices are the batch.

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

const nowhere = 0xffffffffu;

struct ARow {
  start: u32,
  inside: bool,
}

fn a_row(slice: u32, m: u32) -> ARow {
  return ARow(slice * $A_SLICE + m * $A_ROW, m < $M);
}

fn load_a(row: ARow, k: u32) -> f32 {
  if (row.inside & (k < $K)) {
    return a[row.start + k * $A_STEP];
  }
  return 0.0;
}

struct BColumn {
  start: u32,
  inside: bool,
}

fn b_column(slice: u32, n: u32) -> BColumn {
  return BColumn(slice * $B_SLICE + n * $B_COLUMN, n < $N);
}

fn load_b(column: BColumn, k: u32) -> f32 {
  if (column.inside & (k < $K)) {
    return b[column.start + k * $B_STEP];
  }
  return 0.0;
}

fn place(slice: u32, m: u32, n: u32) -> u32 {
  return select(nowhere, (slice * $M + m) * $N + n, (m < $M) & (n < $N));
}

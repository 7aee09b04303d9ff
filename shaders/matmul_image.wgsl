// Slices and results of a batched matrix product, for gemm_image.wgsl: a group is four neighbouring columns.

const nowhere = 0xffffffffu;

struct Column {
  start: u32,
  n: u32,
}

fn a_start(slice: u32) -> u32 {
  return slice * $A_SLICEu;
}

fn b_start(slice: u32) -> u32 {
  return slice * $B_SLICEu;
}

fn column(slice: u32, group: u32) -> Column {
  return Column(slice * ${ROWS * COLUMNS}u, group * 4u);
}

fn place(column: Column, m: u32, i: u32) -> u32 {
  let n = column.n + i;
  return select(nowhere, column.start + m * $COLUMNSu + n, (m < $ROWSu) & (n < $COLUMNSu));
}

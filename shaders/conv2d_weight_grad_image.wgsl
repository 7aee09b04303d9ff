// Where the results of a convolution's gradient for its weight go, for gemm_image.wgsl: rows are output
// channels, a group is four input channels at one tap, groups are numbered (down, across, channels).

const nowhere = 0xffffffffu;

struct Column {
  tap: u32,
  channel: u32,
}

fn a_start(slice: u32) -> u32 {
  return 0u;
}

fn b_start(slice: u32) -> u32 {
  return 0u;
}

fn column(slice: u32, group: u32) -> Column {
  return Column(group / $CHANNELSu, group % $CHANNELSu * 4u);
}

fn place(column: Column, m: u32, i: u32) -> u32 {
  let channel = column.channel + i;
  let inside = (m < $OUT_CHANNELSu) & (channel < $IN_CHANNELSu) & (column.tap < ${KH * KW}u);
  return select(nowhere, (m * $IN_CHANNELSu + channel) * ${KH * KW}u + column.tap, inside);
}

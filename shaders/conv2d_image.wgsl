// Where the results of a convolution go, for gemm_image.wgsl: rows are output channels, a group is four
// images at one position, groups are numbered (row, four images, column).

const nowhere = 0xffffffffu;

struct Column {
  start: u32,
  image: u32,
  inside: bool,
}

fn a_start(slice: u32) -> u32 {
  return 0u;
}

fn b_start(slice: u32) -> u32 {
  return 0u;
}

fn column(slice: u32, group: u32) -> Column {
  let image = group / $OWu % $IMAGESu * 4u;
  let row = group / ${OW * IMAGES}u;
  return Column(image * ${OUT_CHANNELS * OH * OW}u + row * $OWu + group % $OWu, image, row < $OHu);
}

fn place(column: Column, m: u32, i: u32) -> u32 {
  let inside = column.inside & (m < $OUT_CHANNELSu) & (column.image + i < $BATCHu);
  let at = column.start + (i * $OUT_CHANNELSu + m) * ${OH * OW}u;
  return select(nowhere, at, inside);
}

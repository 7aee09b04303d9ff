// Slices and results of a convolution's gradient for its input, for gemm_image.wgsl. With stride s, the
// positions s u + p of one parity p (a slice) are reached only by taps s a + r, where r = (p + padding) % s,
// from output u + floor((p + padding) / s) - a (the image begins at the first that slice 0 needs): so each slice is a convolution of stride 1 with its own taps,
// and none multiplies by the zeros in between. Taps are stored in reverse, so that offsets grow with them.
// Rows are input channels, a group is four images at one u, numbered (down, four images, across).

const nowhere = 0xffffffffu;

struct Column {
  start: u32,
  image: u32,
  inside: bool,
}

fn a_start(slice: u32) -> u32 {
  let down = ($SHu - 1u) - (slice / $SWu + $PHu) % $SHu;
  let across = ($SWu - 1u) - (slice % $SWu + $PWu) % $SWu;
  return down * $A_SLICE_Hu + across * $A_SLICE_Wu;
}

fn b_start(slice: u32) -> u32 {
  return (slice / $SWu + ${PH % SH}u) / $SHu * $B_SLICE_Hu +
    (slice % $SWu + ${PW % SW}u) / $SWu * $B_SLICE_Wu;
}

fn column(slice: u32, group: u32) -> Column {
  let image = group / $U_Wu % $IMAGESu * 4u;
  let h = group / ${U_W * IMAGES}u * $SHu + slice / $SWu;
  let w = group % $U_Wu * $SWu + slice % $SWu;
  return Column(
    image * ${IN_CHANNELS * H * W}u + h * $Wu + w,
    image,
    (h < $Hu) & (w < $Wu),
  );
}

fn place(column: Column, m: u32, i: u32) -> u32 {
  let inside = column.inside & (m < $IN_CHANNELSu) & (column.image + i < $BATCHu);
  let at = column.start + (i * $IN_CHANNELSu + m) * ${H * W}u;
  return select(nowhere, at, inside);
}

// Where the sums of conv2d_weight_grad_few.wgsl go, for gemm_image_sum.wgsl: rows are the many channels, a group is four
// of a thread's sums, which are numbered (few channels, rows of the kernel, columns).

const nowhere = 0xffffffffu;

struct Column {
  row: u32,
  sum: u32,
}

fn column(slice: u32, group: u32) -> Column {
  return Column(group / ${(SUMS + 3) / 4}u * $Uu, group % ${(SUMS + 3) / 4}u * 4u);
}

fn place(column: Column, m: u32, i: u32) -> u32 {
  let sum = column.sum + i;
  let tap = (column.row + sum / $KWu % $Uu) * $KWu + sum % $KWu;
  //: if FLIPPED
  let at = m * $MANY_STRIDEu + sum / ${U * KW}u * $FEW_STRIDEu + ${KH * KW - 1}u - tap;
  //: else
  let at = m * $MANY_STRIDEu + sum / ${U * KW}u * $FEW_STRIDEu + tap;
  //: end
  return select(nowhere, at, (m < $MANYu) & (sum < $SUMSu));
}

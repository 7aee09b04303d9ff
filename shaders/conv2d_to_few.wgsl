// A convolution to a picture's few channels, or the gradient for them, for CPU adapters, without a copy of its
// source of many channels. A thread makes a tile of TH x TW results in each of the channels. Of one source channel
// after another, and of U rows of the kernel at a time, it reads the window that the tile sees once, number by
// number, and uses each number in all taps and channels.
//
// Along an axis, tap k of result i reads number (i A + k B + C) / D of the window, where that is whole: the stride and
// the dilation of a convolution are A and B, those of a gradient D and -B.

$SLOTS

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  begin_instance(id.z);
  let thread = id.y * $ROW + id.x;
  if (thread >= $COUNT) {
    return;
  }
  let column = thread % $COLUMNSu;
  let row = thread / $COLUMNSu % $ROWSu;
  let image = thread / ${ROWS * COLUMNS}u;
$COLUMN_PLACES
  //: for i in 0..TO * TH * TW
  var sum$i = 0.0;
  //: end
  for (var channel = 0u; channel < $FROMu; channel++) {
    //: if BLOCKS > 1
    for (var block = 0u; block < $BLOCKSu; block++) {
    //: else
    {
      let block = 0u;
    //: end
$ROW_PLACES
$WINDOW
      let taps = (channel * $BLOCKSu + block) * ${U * TO * QUADS}u;
      //: for i in 0..U * TO * QUADS
      let k$i = load_weight(taps + ${i}u);
      //: end
      //: for o in 0..TO
      //: for i in 0..TH
      //: for r in 0..U
      //: if (i * AH + r * BH + CH) % DH == 0
      //: for c in 0..KW
      //: for j in 0..TW
      //: if (j * AW + c * BW + CW) % DW == 0
      sum${(o * TH + i) * TW + j} = fma(
        k${(r * TO + o) * QUADS + c / 4}[${c % 4}],
        x${(i * AH + r * BH + CH) / DH * WIDE + (j * AW + c * BW + CW) / DW},
        sum${(o * TH + i) * TW + j},
      );
      //: end
      //: end
      //: end
      //: end
      //: end
      //: end
      //: end
    }
  }
  let at = (image * ${TO * OH}u + row * $THu) * $OWu + column * $TWu;
  //: for i in 0..TH
  //: for j in 0..TW
  //: if OH % TH + OW % TW
  if ((row * $THu + ${i}u < $OHu) & (column * $TWu + ${j}u < $OWu)) {
  //: else
  {
  //: end
    //: for o in 0..TO
    finish(at + ${(o * OH + i) * OW + j}u, sum${(o * TH + i) * TW + j});
    //: end
  }
  //: end
  //: end
}

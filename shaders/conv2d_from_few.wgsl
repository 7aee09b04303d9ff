// A convolution of a picture's few channels, or the gradient that comes from few, for CPU adapters. What such a product
// costs is to store its results, so all else is done as seldom as can be: a thread reads the window that TH x TW
// results see in every source channel once, and makes of it these results in one channel after another. The sums of
// a channel begin and end in the same round of the loop, so that they can stay in registers.
//
// Along an axis, tap k of result i reads number (i A + k B + C) / D of the window, as in conv2d_to_few.wgsl.

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
  let block = 0u;
$COLUMN_PLACES
$ROW_PLACES
$WINDOW
  for (var channel = 0u; channel < $TOu; channel++) {
    let taps = channel * ${KH * FROM * QUADS}u;
    //: for i in 0..KH * FROM * QUADS
    let k$i = load_weight(taps + ${i}u);
    //: end
    let at = ((image * $TOu + channel) * $OHu + row * $THu) * $OWu + column * $TWu;
    //: for i in 0..TH
    //: for j in 0..TW
    var sum${i * TW + j} = 0.0;
    //: end
    //: for r in 0..KH
    //: if (i * AH + r * BH + CH) % DH == 0
    //: for f in 0..FROM
    //: for c in 0..KW
    //: for j in 0..TW
    //: if (j * AW + c * BW + CW) % DW == 0
    sum${i * TW + j} = fma(
      k${(r * FROM + f) * QUADS + c / 4}[${c % 4}],
      x${(f * HIGH + (i * AH + r * BH + CH) / DH) * WIDE + (j * AW + c * BW + CW) / DW},
      sum${i * TW + j},
    );
    //: end
    //: end
    //: end
    //: end
    //: end
    //: end
    //: for j in 0..TW
    //: if OH % TH + OW % TW
    if ((row * $THu + ${i}u < $OHu) & (column * $TWu + ${j}u < $OWu)) {
      finish(at + ${i * OW + j}u, sum${i * TW + j});
    }
    //: else
    finish(at + ${i * OW + j}u, sum${i * TW + j});
    //: end
    //: end
    //: end
  }
}

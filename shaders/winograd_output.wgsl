// The last transform of Winograd's filtering: T -> M T M', where M is [SIDE, PATCH]. A thread gathers a texel
// of each of PATCH x PATCH products (results for four images, or four channels) and puts the sums where they
// belong in a tensor. The taps of a filter, and of four channels' filters, follow each other there (QUADS).

$SLOTS

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  begin_instance(id.z);
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var origin = 0u;
  var place = 0u;
  var vector = 0u;
  var top = 0u;
  var left = 0u;
$AXES
  //: for i in 0..PATCH
  //: for j in 0..PATCH
  let t${i}_$j = load_products(origin + ${(i * PATCH + j) * SLICE}u);
  //: end
  //: end
$SUMS
  //: if QUADS
  //: for q in 0..SIDE*SIDE
  var w$q = vec4f(
    //: for k in 4*q..4*q+4
    m${k % (SIDE * SIDE) / SIDE}_${k % SIDE}[${k / (SIDE * SIDE)}],
    //: end
  );
  //: end
  let first = place / 4u;
  for (var at = first; at < first + ${SIDE * SIDE}u; at += $SIDEu) {
    //: for j in 0..SIDE
    finish(at + ${j}u, w$j);
    //: end
    //: for q in 0..SIDE*SIDE-SIDE
    w$q = w${q + SIDE};
    //: end
  }
  //: else
  // A loop over lines keeps what is compiled short: a store is a loop over lanes already.
  for (var line = top; line < top + ${SIDE * STEP_H}u; line += $STEP_Hu) {
    if (line < $HEIGHTu) {
      //: for v in 0..4
      if (vector + ${v}u < $LIMITu) {
        //: for j in 0..SIDE
        if (left + ${j * STEP_W}u < $WIDTHu) {
          finish(place + ${v * VECTOR + j * ACROSS}u, m0_$j[$v]);
        }
        //: end
      }
      //: end
    }
    place += $DOWNu;
    //: for i in 0..SIDE-1
    //: for j in 0..SIDE
    m${i}_$j = m${i + 1}_$j;
    //: end
    //: end
  }
  //: end
}

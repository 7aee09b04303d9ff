// Transforms tiles for Winograd's filtering on GPUs: T -> M T M', where M is [SIDE, PATCH]. A thread takes
// PATCH x PATCH numbers of a tensor, zeros where they lie outside of HEIGHT x WIDTH, and makes SIDE x SIDE, one
// for each of the products that follow, SLICE apart. Neighbouring threads have neighbouring tiles, or taps,
// and write neighbours. The launcher writes the sums, for M's numbers are known and half of them are zero.
//
// Coordinates above and left of the tensor wrap around to large ones, so that each has one bound to pass.
// Conditions are joined by `&`: see gemm_tiled.wgsl.

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var origin = $ORIGINu;
  var place = 0u;
  var top = $FIRSTu;
  var left = $FIRSTu;
$AXES
  //: for i in 0..PATCH
  let down$i = top + ${i * STEP}u < $HEIGHTu;
  let across$i = left + ${i * STEP}u < $WIDTHu;
  //: end
  //: for i in 0..PATCH
  //: for j in 0..PATCH
  var t${i}_$j = 0.0;
  if (down$i & across$j) {
    t${i}_$j = source[origin + ${i * DOWN + j * ACROSS}u];
  }
  //: end
  //: end
$SUMS
  //: for i in 0..SIDE
  //: for j in 0..SIDE
  result[place + ${(i * SIDE + j) * SLICE}u] = m${i}_$j;
  //: end
  //: end
}

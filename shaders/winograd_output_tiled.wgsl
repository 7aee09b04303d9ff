// The last transform of Winograd's filtering on GPUs: T -> M T M', where M is [SIDE, PATCH]. A thread gathers
// a number of each of PATCH x PATCH products, SLICE apart, and puts the sums where they belong in a tensor of
// HEIGHT x WIDTH, by way of `finish`, which engine/kernels/results.ts writes. Neighbouring threads read neighbours.
// With QUADS, a tile's rows are vectors of the tensor.

@group(0) @binding(0) var<storage, read_write> products: array<f32>;

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var origin = 0u;
  var place = 0u;
  var top = 0u;
  var left = 0u;
$AXES
  //: for i in 0..PATCH
  //: for j in 0..PATCH
  let t${i}_$j = products[origin + ${(i * PATCH + j) * SLICE}u];
  //: end
  //: end
$SUMS
  //: for i in 0..SIDE
  //: if QUADS
  if (top + ${i * STEP}u < $HEIGHTu) {
    finish((place + ${i * DOWN}u) / 4u, vec4f(m${i}_0, m${i}_1, m${i}_2, m${i}_3));
  }
  //: else
  //: for j in 0..SIDE
  if ((top + ${i * STEP}u < $HEIGHTu) & (left + ${j * STEP}u < $WIDTHu)) {
    finish(place + ${i * DOWN + j * ACROSS}u, m${i}_$j);
  }
  //: end
  //: end
  //: end
}

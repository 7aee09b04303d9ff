// The last transform of Winograd's filtering: T -> M T M', where M is [SIDE, PATCH]. A thread gathers a texel
// of each of PATCH x PATCH products (results for four images, or four channels) and puts the sums where they
// belong in a tensor.

@group(0) @binding(0) var products: texture_storage_2d<rgba32float, read>;
//: if STORE4
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
//: else
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
//: end

fn load(at: u32) -> vec4f {
  return textureLoad(products, vec2u(at % $IMAGE_WIDTHu, at / $IMAGE_WIDTHu));
}

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
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
  let t${i}_$j = load(origin + ${(i * PATCH + j) * SLICE}u);
  //: end
  //: end
$SUMS
  //: for v in 0..4
  if (vector + ${v}u < $LIMITu) {
    //: for i in 0..SIDE
    //: if STORE4
    if (top + ${i * STEP_H}u < $HEIGHTu) {
      result[(place + ${v * VECTOR + i * DOWN}u) / 4u] =
        vec4f(m${i}_0[$v], m${i}_1[$v], m${i}_2[$v], m${i}_3[$v]);
    }
    //: else
    //: for j in 0..SIDE
    if (top + ${i * STEP_H}u < $HEIGHTu && left + ${j * STEP_W}u < $WIDTHu) {
      result[place + ${v * VECTOR + i * DOWN + j * ACROSS}u] = m${i}_$j[$v];
    }
    //: end
    //: end
    //: end
  }
  //: end
}

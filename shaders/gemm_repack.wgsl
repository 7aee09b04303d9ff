// Copies a tensor into another layout: axes permuted, cut, padded with zeros, reversed or split in
// two. The register-tiled products read their operands in layouts made by this, because on a CPU
// adapter a load costs far more than a multiplication and a copy is cheap beside the product.
//
// Axis i of the result, of SIZE elements, reads coordinate t = SIGN * i + SHIFT of the source; where
// t lies outside [0, LIMIT) the element is zero. t contributes t / SPLIT * STRIDE + t % SPLIT *
// REMAINDER to the source's index. TERMS sources, TERM_STRIDE apart, are added up in order: the second
// pass of products whose depth was split.
//
// A thread makes WIDTH neighbours: a vec4 where the length allows.

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
//: if WIDTH == 4
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
//: else
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
//: end

fn element(position: u32) -> f32 {
  var rest = position;
  var index: i32 = $BASE;
  var inside = true;
$COORDINATES
  if (!inside) {
    return 0.0;
  }
  //: if TERMS == 1
  return source[index];
  //: else
  var sum = source[index];
  for (var term = 1; term < $TERMS; term++) {
    sum += source[index + term * $TERM_STRIDE];
  }
  return sum;
  //: end
}

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.y * $ROW + id.x;
  if (index >= $COUNT) {
    return;
  }
  //: if WIDTH == 4
  let first = index * 4;
  result[index] = vec4f(element(first), element(first + 1), element(first + 2), element(first + 3));
  //: else
  result[index] = element(index);
  //: end
}

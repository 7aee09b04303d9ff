// Copies a tensor into another layout: axes permuted, cut, padded with zeros, reversed or split in
// two. The register-tiled products read their operands in layouts made by this, because on a CPU
// adapter a load costs far more than a multiplication and a copy is cheap beside the product.
//
// A thread makes WIDTH neighbours along the result's innermost axis: a vec4 where its size allows. The
// launcher orders the axes so that neighbouring threads touch neighbouring lines of memory on the side
// where the distance between others is a large power of two, which would all fall in one cache set.
//
// TERMS sources, TERM_STRIDE apart, are added up in order: the second pass of products whose depth was
// split.

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
//: if WIDTH == 4
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
//: else
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
//: end

// The element at coordinate `i` of the innermost axis, where the others lead to `start`.
fn element(start: i32, i: i32) -> f32 {
  var index = start;
  var inside = true;
$INNERMOST
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
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var index: i32 = $BASE;
  var inside = true;
  var place = 0u;
$OUTER
  //: if WIDTH == 4
  var value = vec4f();
  if (inside) {
    value = vec4f(
      element(index, innermost),
      element(index, innermost + 1),
      element(index, innermost + 2),
      element(index, innermost + 3),
    );
  }
  result[place] = value;
  //: else
  var value = 0.0;
  if (inside) {
    value = element(index, innermost);
  }
  result[place] = value;
  //: end
}

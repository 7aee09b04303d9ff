// Copies a tensor into an image, in the layout that a product of gemm_image.wgsl reads: axes permuted,
// cut, padded with zeros, reversed, blocked. A thread makes a texel, four neighbours along the
// innermost axis. The launcher orders the axes so that neighbouring threads touch neighbouring lines of memory on
// the side where the distance between others is a large power of two, which would all fall in one cache set.

$SLOTS

// The element at coordinate `i` of the innermost axis, where the others lead to `start`.
fn element(start: i32, i: i32) -> f32 {
  var index = start;
  var inside = true;
$INNERMOST
  return select(0.0, load_source(u32(index)), inside);
}

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  begin_instance(id.z);
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var index = 0;
  var inside = true;
  var place = 0u;
$OUTER
  var value = vec4f();
  if (inside) {
    value = vec4f(
      element(index, innermost),
      element(index, innermost + 1),
      element(index, innermost + 2),
      element(index, innermost + 3),
    );
  }
  store_result(place, value);
}

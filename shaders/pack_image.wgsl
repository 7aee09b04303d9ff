// Copies a tensor into an image, in the layout that a product of gemm_image.wgsl reads: axes permuted,
// cut, padded with zeros, reversed, blocked. A thread makes a texel, four neighbours along the
// innermost axis. The launcher orders the axes so that neighbouring threads touch neighbouring lines of memory on
// the side where the distance between others is a large power of two, which would all fall in one cache set.
//
// Coordinates below zero wrap around to large ones, so that each has one bound to pass. Where one does not, the
// element is zero, whatever a prologue would make of it.

$SLOTS

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  begin_instance(id.z);
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var inside = true;
  var place = 0u;
$OUTER
  var value = vec4f();
  if (inside) {
$INNERMOST
    value = vec4f($VALUES);
  }
  store_result(place, value);
}

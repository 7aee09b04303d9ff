// One thread an element: a fused chain of element-wise ops and moves, written by the compiler.

$LIBRARY
$BINDINGS

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(global_invocation_id) thread: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
) {
  // Large grids are folded into rows, because a grid's side is limited.
  let i = thread.x + thread.y * grid.x * $WORKGROUPu;
  if (i >= $SIZEu) { return; }
  $BODY
}

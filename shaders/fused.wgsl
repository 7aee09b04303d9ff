// What the compiler writes: a function of the workgroup's number and the thread's.

$LIBRARY
$BINDINGS
$SHARED

$FUNCTION

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) grid: vec3<u32>,
  //: if SUBGROUPS
  @builtin(num_subgroups) subgroup_count: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  //: end
) {
  $BEGIN
  // Large grids are folded into rows, because a grid's side is limited.
  let group = workgroup.x + workgroup.y * grid.x;
  $RUN
}

// Folds $LENGTH elements into one, one workgroup a result (or a part of one): each thread strides over the
// elements, then the threads' results are folded in a tree. The order is fixed, so the bits are too.

$LIBRARY
$BINDINGS
$SHARED

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) grid: vec3<u32>,
) {
  let at = workgroup.x + workgroup.y * grid.x;
  let o = at % $RESULTSu;
  let start = at / $RESULTSu * $STRETCHu;
  let stop = select(0u, min(start + $STRETCHu, $LENGTHu), at < $RESULTSu * $PARTSu);
  $START
  for (var r = start + lane; r < stop; r += $WORKGROUPu) {
    $BODY
  }
  $SHARE
  for (var width = $WORKGROUPu / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) {
      $FOLD
    }
  }
  if (lane == 0u && at < $RESULTSu * $PARTSu) {
    $STORE
  }
}

// Folds $LENGTH elements into one, one thread a result: for short folds, or very many results. The threads of
// a workgroup read neighbours where the folded axes come first. With more than one part, each thread folds
// a stretch of the elements, and a second pass folds the parts, always in the same order.

$LIBRARY
$BINDINGS

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(global_invocation_id) thread: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
) {
  let at = thread.x + thread.y * grid.x * $WORKGROUPu;
  if (at >= $RESULTSu * $PARTSu) { return; }
  let o = at % $RESULTSu;
  let start = at / $RESULTSu * $STRETCHu;
  let stop = min(start + $STRETCHu, $LENGTHu);
  $START
  for (var r = start; r < stop; r++) {
    $BODY
  }
  $STORE
}

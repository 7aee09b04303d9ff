// Folds rows of $LENGTH elements, each by a workgroup or, where THREADS is not zero, by a thread; computes what
// depends on the results. With more than one part, each folds a stretch of the elements, and a second kernel
// folds the parts. The order is always the same, so the bits are too.
fn part(group: u32, lane: u32$MORE) {
  //: if THREADS
  let at = group * $WORKGROUPu + lane;
  //: if REST
  if (at >= $RESULTSu * $PARTSu) { return; }
  //: end
  //: else
  let at = group;
  //: end
  let o = at % $RESULTSu;
  let start = at / $RESULTSu * $STRETCHu;
  let stop = min(start + $STRETCHu, $LENGTHu);
  $BODY
  //: if !THREADS
  if (lane != 0u) { return; }
  //: end
  $RESULT
}

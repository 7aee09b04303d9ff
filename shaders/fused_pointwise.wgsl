// One thread an element, or four neighbours: a chain of element-wise ops and moves.
fn part(group: u32, lane: u32) {
  let i = group * $WORKGROUPu + lane;
  //: if REST
  if (i >= $COUNTu) { return; }
  //: end
  $BODY
}

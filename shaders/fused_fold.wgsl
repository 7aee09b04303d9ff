  // The threads' totals are folded in a tree.
  $SHARE
  for (var width = $WORKGROUPu / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) {
      $FOLD
    }
  }
  workgroupBarrier();

  // The threads' totals are folded within each subgroup, whatever its size is, then those of the subgroups in
  // order.
  $FOLD
  if (subgroup_lane == 0u) {
    $SHARE
  }
  workgroupBarrier();
  $FIRST
  for (var other = 1u; other < subgroup_count; other++) {
    $JOIN
  }

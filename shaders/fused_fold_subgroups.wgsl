  // The threads' totals are folded within each subgroup, neighbours first, then those of the subgroups in
  // order: the same way each time, whatever the size of a subgroup is.
  for (var distance = 1u; distance < subgroup_size; distance *= 2u) {
    $FOLD
  }
  if (subgroup_lane == 0u) {
    $SHARE
  }
  workgroupBarrier();
  $FIRST
  for (var other = 1u; other < subgroup_count; other++) {
    $JOIN
  }

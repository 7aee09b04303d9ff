// How many workgroups to launch, folded into rows where a side of the grid is limited.

/** A grid of at least `workgroups` workgroups: shaders count `x + y * width`. */
export function foldGrid(
  workgroups: number,
  limits: { readonly maxComputeWorkgroupsPerDimension: number },
): [number, number, number] {
  const side = limits.maxComputeWorkgroupsPerDimension;
  if (workgroups <= side) return [workgroups, 1, 1];
  const rows = Math.ceil(workgroups / side);
  return [Math.ceil(workgroups / rows), rows, 1];
}

// Subgroups: the threads of a workgroup that a GPU runs in step, and that can read each other's numbers without
// memory between them.

import type { Subgroups } from "../kernels/dispatch.ts";

/** What the fold of a reduction needs: shaders/fused_fold_subgroups.wgsl. */
const PROBE = `
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_subgroups) count: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  result[lane] = subgroupAdd(f32(lane)) + f32(count + subgroup + subgroup_lane);
}
`;

/**
 * Opens a device with subgroups where there are any. Deno 2.9 grants the feature without listing it, so it
 * has to be asked for to find out.
 */
export async function requestWithSubgroups(
  adapter: GPUAdapter,
  descriptor: GPUDeviceDescriptor & { readonly requiredFeatures: readonly GPUFeatureName[] },
): Promise<GPUDevice> {
  try {
    const requiredFeatures = [...descriptor.requiredFeatures, "subgroups" as GPUFeatureName];
    return await adapter.requestDevice({ ...descriptor, requiredFeatures });
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    return await adapter.requestDevice(descriptor);
  }
}

/** How a device's shaders use subgroups; undefined where they cannot. */
export async function subgroupsOf(gpu: GPUDevice): Promise<Subgroups | undefined> {
  if (!gpu.features.has("subgroups" as GPUFeatureName)) return undefined;
  // The standard's directive, which Deno's compiler knows, but refuses.
  for (const enable of ["enable subgroups;\n", ""]) {
    gpu.pushErrorScope("validation");
    gpu.createShaderModule({ code: enable + PROBE, label: "subgroups" });
    if (await gpu.popErrorScope() === null) {
      return { enable };
    }
  }
  return undefined;
}

import type { KernelContext } from "../../engine/kernels/dispatch.ts";

/** A GPU with WebGPU's default limits, but for the size of its buffers; it runs nothing. */
export const gpu: KernelContext = {
  cpu: false,
  images: false,
  limits: {
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupStorageSize: 16_384,
    maxComputeWorkgroupsPerDimension: 65_535,
    maxStorageBuffersPerShaderStage: 8,
    maxBufferSize: 2 ** 31 - 4,
  },
  scratch: (bytes) => ({ bytes }),
};

// Launches moments.wgsl.

import code from "../../shaders/moments.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { foldGrid } from "./grid.ts";
import { instantiate } from "./template.ts";

/** A tensor [outer, channels, inner] whose moments are taken for each channel. */
export interface MomentsGeometry {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** x: [outer, channels, inner] -> out: [2, channels]. */
export function moments(
  context: KernelContext,
  geometry: MomentsGeometry,
  slots: { x: Slot; out: Slot },
): Dispatch[] {
  const { outer, channels, inner } = geometry;
  const workgroup = context.cpu ? 32 : 256;
  return [{
    kernel: "moments",
    variant: `workgroup ${workgroup}`,
    shape: `${outer}x${channels}x${inner}`,
    code: instantiate(code, {
      CHANNELS: channels,
      INNER: inner,
      COUNT: outer * inner,
      WORKGROUP: workgroup,
    }),
    slots: [slots.x, slots.out],
    workgroups: foldGrid(channels, context.limits),
    flops: 4 * outer * channels * inner,
  }];
}

// Copies of the same memory into the same layout, made once. Products pack their operands into images, each
// for itself; but a net's weights serve several batches between two updates, and a gradient several
// products.

import type { Dispatch, Slot } from "../kernels/dispatch.ts";
import { ImageSlot } from "../kernels/image.ts";

/** A dispatch, and the memory that it writes. */
export interface Launched {
  readonly dispatch: Dispatch;
  readonly written: readonly Slot[];
}

/** Leaves out copies into images that are there already, of memory that was not written since. */
export function shareCopies(launched: readonly Launched[]): Launched[] {
  const kept: Launched[] = [];
  const numbers = new Map<Slot, number>(), versions = new Map<Slot, number>();
  const made = new Map<string, Slot>(), instead = new Map<Slot, Slot>();
  const stateOf = (slot: Slot): string => {
    if (!numbers.has(slot)) numbers.set(slot, numbers.size);
    return `${numbers.get(slot)}.${versions.get(slot) ?? 0}`;
  };
  for (const { dispatch, written } of launched) {
    const slots = dispatch.slots.map((slot) => instead.get(slot) ?? slot);
    const [image, ...others] = written;
    if (dispatch.flops === 0 && image instanceof ImageSlot && others.length === 0) {
      const sources = slots.filter((slot) => slot !== image);
      const key = [dispatch.code, ...sources.map(stateOf)].join("\n");
      const same = made.get(key);
      if (same !== undefined) {
        instead.set(image, same);
        continue;
      }
      made.set(key, image);
    }
    for (const slot of written) versions.set(slot, (versions.get(slot) ?? 0) + 1);
    kept.push({ dispatch: { ...dispatch, slots }, written });
  }
  return kept;
}

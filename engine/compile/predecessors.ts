// Which dispatches have to run before which, by the memory that they use.

import { allSlots, type Slot } from "../kernels/dispatch.ts";
import type { Launched } from "./copies.ts";
import { ScratchSlot } from "./memory.ts";

/** What each dispatch writes. Scratch memory is written once, before anybody reads it, who may be thought to write it. */
export function writesOf(launched: readonly Launched[]): readonly (readonly Slot[])[] {
  const begun = new Set<Slot>();
  return launched.map(({ dispatch, written }) => {
    const slots = allSlots(dispatch);
    const writes = slots.filter((slot) =>
      written.includes(slot) && !(slot instanceof ScratchSlot && begun.has(slot))
    );
    slots.forEach((slot) => begun.add(slot));
    return writes;
  });
}

/** The dispatches that have to run before each: who wrote what it reads, or used what it writes. */
export function predecessors(launched: readonly Launched[]): ReadonlySet<number>[] {
  const writer = new Map<Slot, number>(), users = new Map<Slot, number[]>();
  const writes = writesOf(launched);
  return launched.map(({ dispatch }, at) => {
    const before = new Set<number>();
    for (const slot of allSlots(dispatch)) {
      const source = writer.get(slot);
      if (source !== undefined) before.add(source);
      if (writes[at].includes(slot)) {
        users.get(slot)?.forEach((user) => before.add(user));
        writer.set(slot, at);
        users.set(slot, []);
      } else users.set(slot, [...users.get(slot) ?? [], at]);
    }
    return before;
  });
}

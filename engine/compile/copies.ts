// Copies of the same memory into the same layout, made once. Products lay their operands out for themselves: they
// pack them into images, or transform their tiles; but a net's weights serve several batches between two updates,
// and a gradient several products.

import type { Dispatch, Slot } from "../kernels/dispatch.ts";
import { ImageSlot } from "../kernels/image.ts";
import { livenessBound, mostBytes, ScratchSlot } from "./memory.ts";

/** A dispatch, and the memory that it writes. */
export interface Launched {
  readonly dispatch: Dispatch;
  readonly written: readonly Slot[];
}

/**
 * How much more memory may be needed at once than where every product makes its own copies: on a GPU, bytes that
 * each has to spare, and of a plan that needs much, a share. On a CPU adapter, time is what is short.
 */
const MOST_MEMORY = {
  gpu: { share: 1 / 8, bytes: 2 ** 27 },
  cpu: { share: 0, bytes: Infinity },
};

/**
 * Leaves out copies of what was copied before, and not written since. What is kept instead takes memory until it is
 * needed again, and each byte of it saves about as much work; so what is kept the shortest comes first, and where
 * it would be too much, a copy is made again.
 */
export function shareCopies(
  launched: readonly Launched[],
  options: { cpu: boolean },
): Launched[] {
  const needed = livenessBound(launched.map(({ dispatch }) => dispatch));
  const most = mostBytes(needed, MOST_MEMORY[options.cpu ? "cpu" : "gpu"]);
  const fits = (some: readonly Launched[]): boolean =>
    livenessBound(some.map(({ dispatch }) => dispatch)) <= most;
  const repeats = repeatsOf(launched).sort((a, b) => a.keeping - b.keeping);
  const all = readInstead(launched, new Map(repeats.map(({ slot, before }) => [slot, before])));
  if (fits(all)) return all;
  const instead = new Map<Slot, Slot>();
  let shared = [...launched];
  for (const { slot, before } of repeats) {
    const more = readInstead(launched, new Map([...instead, [slot, before]]));
    if (!fits(more)) continue;
    instead.set(slot, before);
    shared = more;
  }
  return shared;
}

/** A copy that was made before. */
interface Repeat {
  readonly slot: Slot;
  /** Where it was last made. */
  readonly before: Slot;
  /** Its bytes, times the dispatches since those that needed it last. */
  readonly keeping: number;
}

function repeatsOf(launched: readonly Launched[]): Repeat[] {
  const repeats: Repeat[] = [];
  const numbers = new Map<Slot, number>(), versions = new Map<Slot, number>();
  // Of what is the same, the latest stands for all; but as a source of other copies, the first.
  const latest = new Map<string, Slot>(), first = new Map<Slot, Slot>();
  const used = new Map<Slot, number>();
  const stateOf = (slot: Slot): string => {
    const source = first.get(slot) ?? slot;
    if (!numbers.has(source)) numbers.set(source, numbers.size);
    return `${numbers.get(source)}.${versions.get(source) ?? 0}`;
  };
  launched.forEach(({ dispatch, written }, at) => {
    const slot = copyOf({ dispatch, written });
    if (slot !== undefined) {
      const sources = dispatch.slots.filter((each) => each !== slot);
      const key = [dispatch.code, ...sources.map(stateOf)].join("\n");
      const before = latest.get(key);
      if (before !== undefined) {
        repeats.push({ slot, before, keeping: slot.bytes * (at - used.get(before)!) });
        first.set(slot, first.get(before) ?? before);
      }
      latest.set(key, slot);
    }
    for (const each of written) versions.set(each, (versions.get(each) ?? 0) + 1);
    for (const each of dispatch.slots) used.set(each, at);
  });
  return repeats;
}

/** What a dispatch copies into, where it does nothing else: memory that is written once. */
function copyOf({ dispatch, written }: Launched): Slot | undefined {
  const [slot, ...others] = written;
  const once = slot instanceof ImageSlot || slot instanceof ScratchSlot;
  return dispatch.flops === 0 && once && others.length === 0 ? slot : undefined;
}

/** Without the copies for which there is another to read instead. */
function readInstead(
  launched: readonly Launched[],
  instead: ReadonlyMap<Slot, Slot>,
): Launched[] {
  const placeOf = (slot: Slot): Slot => {
    const before = instead.get(slot);
    return before === undefined ? slot : placeOf(before);
  };
  return launched
    .filter((each) => {
      const copy = copyOf(each);
      return copy === undefined || !instead.has(copy);
    })
    .map(({ dispatch, written }) => ({
      dispatch: { ...dispatch, slots: dispatch.slots.map(placeOf) },
      written,
    }));
}

// What variables alone decide, computed once and kept until one of them changes. A net that draws pictures lays the
// same weights out for its products in each call.

import type { Slot } from "../kernels/dispatch.ts";
import type { Launched } from "./copies.ts";
import { isOwn, keptSlots, livenessBound, mostBytes } from "./memory.ts";
import { writesOf } from "./predecessors.ts";

/**
 * How much more memory may be needed at once than where each run computes everything: a share, or bytes. On every
 * adapter, for a net has several plans, one for each size of batch, and each of them keeps its own.
 */
const MOST_MEMORY = { share: 1 / 8, bytes: 2 ** 27 };

/**
 * Puts dispatches that compute from what is given, and does not change within a run, before all others, and marks
 * them as constant. Where keeping what they leave to the others would take too much memory, the largest is computed
 * in each run: small ones save as many dispatches.
 *
 * @param options.given memory of such numbers: variables that the program does not assign, and uploaded constants.
 */
export function hoistConstants(
  launched: readonly Launched[],
  { given }: { given: ReadonlySet<Slot> },
): Launched[] {
  const most = mostBytes(livenessBound(dispatchesOf(launched)), MOST_MEMORY);
  const computed = new Set<Slot>();
  for (;;) {
    const hoisted = hoist(launched, { given, computed }), dispatches = dispatchesOf(hoisted);
    const [largest] = [...keptSlots(dispatches)].sort((a, b) => b.bytes - a.bytes);
    if (largest === undefined) return [...launched];
    if (livenessBound(dispatches) <= most) return hoisted;
    computed.add(largest);
  }
}

/** Puts constant dispatches first; `computed` is what each run computes anew. */
function hoist(
  launched: readonly Launched[],
  { given, computed }: { given: ReadonlySet<Slot>; computed: ReadonlySet<Slot> },
): Launched[] {
  const written = writesOf(launched), writers = new Map<Slot, number>();
  for (const slot of written.flat()) writers.set(slot, (writers.get(slot) ?? 0) + 1);
  const known = new Set([...given].filter((slot) => !writers.has(slot)));
  // Nobody may overwrite what is kept; a result that is read outside has to be where it was last.
  const canKeep = (slot: Slot): boolean =>
    isOwn(slot) && writers.get(slot) === 1 && !computed.has(slot);
  const constants: Launched[] = [], others: Launched[] = [];
  launched.forEach((each, at) => {
    const { dispatch } = each, writes = written[at];
    const reads = dispatch.slots.filter((slot) => !writes.includes(slot));
    if (writes.every(canKeep) && reads.every((slot) => known.has(slot))) {
      writes.forEach((slot) => known.add(slot));
      constants.push({ ...each, dispatch: { ...dispatch, constant: true } });
    } else others.push(each);
  });
  return [...constants, ...others];
}

const dispatchesOf = (launched: readonly Launched[]): Launched["dispatch"][] =>
  launched.map(({ dispatch }) => dispatch);

// The same kernel on other memory, in one dispatch: on CPU adapters, where kernels are told by numbers where in
// their textures they find things. So the discriminator goes over real and fake pictures side by side.

import { hasPlaces, MOST_INSTANCES } from "../kernels/access.ts";
import type { Dispatch, Slot } from "../kernels/dispatch.ts";
import { ImageSlot } from "../kernels/image.ts";
import { TexelSlot } from "../kernels/texels.ts";
import type { Launched } from "./copies.ts";
import { livenessBound, mostBytes } from "./memory.ts";
import { type Neighbours, quarrel, rivalsOf, unite } from "./neighbours.ts";
import { predecessors } from "./predecessors.ts";

/** How much more memory may be needed at once than where every dispatch keeps its turn: a share, or bytes. */
const MOST_MEMORY = { share: 1 / 8, bytes: 2 ** 25 };
/**
 * By how much a dispatch may come before its turn, tried in this order: a share of the memory that is needed at
 * once, kept through the whole run; or more for less long.
 */
const REACHES = [1, 1 / 32, 1 / 64, 1 / 128, 1 / 256];

/**
 * Lets dispatches of the same kernel run as one, in the first one's turn. What the others wait for by then comes
 * before, if it is a single dispatch. What comes so early has to be kept for longer: if that is too much, those
 * that keep most of it keep their turns, and at last all.
 */
export function shareInstances(launched: readonly Launched[]): readonly Launched[] {
  const apart = dispatchesOf(launched);
  const deep = apart.find(({ slots, workgroups }) => hasPlaces(slots) && workgroups[2] !== 1);
  if (deep) throw new Error(`${deep.kernel} spreads over the grid's z, which tells its instances`);
  const needed = livenessBound(apart), most = mostBytes(needed, MOST_MEMORY);
  for (const reach of REACHES) {
    const joined = joinTwins(launched, { keeping: reach * needed * launched.length });
    if (livenessBound(dispatchesOf(joined)) <= most) return joined;
  }
  return launched;
}

const dispatchesOf = (launched: readonly Launched[]): Dispatch[] =>
  launched.map(({ dispatch }) => dispatch);

/**
 * Takes dispatches in order, and along with each one others of the same kernel that can run by then.
 *
 * @param options.keeping bytes that another writes, times the dispatches by which it comes before its turn, at most.
 */
function joinTwins(launched: readonly Launched[], options: { keeping: number }): Launched[] {
  const waits = predecessors(launched);
  const alike = Map.groupBy(launched.keys(), (at) => launched[at].dispatch.code);
  const rivals = rivalsOf(launched.map(({ dispatch }) => dispatch));
  let partners: Neighbours = new Map();
  const begun = new Set<number>(), done = new Set<number>(), joined: Launched[] = [];

  const twinsOf = (at: number): number[] => {
    const { dispatch } = launched[at], twins: number[] = [];
    for (const other of alike.get(dispatch.code)!) {
      if (twins.length + 1 === MOST_INSTANCES) break;
      const { dispatch: twin } = launched[other];
      if (begun.has(other) || !isTwin(dispatch, twin)) continue;
      if ((other - at) * bytesOf(launched[other].written) > options.keeping) continue;
      const missing = [...waits[other]].filter((each) => !done.has(each));
      const ready = missing.every((each) => !begun.has(each) && waits[each].isSubsetOf(done));
      if (missing.length > 1 || !ready) continue;
      const together = unite(partners, dispatch.slots, twin.slots);
      if (quarrel(dispatch.slots, { partners: together, rivals })) continue;
      partners = together;
      begun.add(other);
      missing.forEach(run);
      twins.push(other);
    }
    return twins;
  };
  const run = (at: number): void => {
    if (begun.has(at)) return;
    begun.add(at);
    const all = [at, ...twinsOf(at)];
    joined.push({
      dispatch: join(all.map((each) => launched[each].dispatch)),
      written: all.flatMap((each) => launched[each].written),
    });
    all.forEach((each) => done.add(each));
  };
  launched.forEach((_, at) => run(at));
  return joined;
}

const bytesOf = (slots: readonly Slot[]): number =>
  slots.reduce((sum, { bytes }) => sum + bytes, 0);

/** Whether two dispatches of one kernel are bound to the same, but for places in textures. */
function isTwin(a: Dispatch, b: Dispatch): boolean {
  const [x, y] = a.workgroups;
  return hasPlaces(a.slots) && a.constant === b.constant &&
    x === b.workgroups[0] && y === b.workgroups[1] &&
    a.slots.every((slot, at) => slot === b.slots[at] || (isPlaced(slot) && isPlaced(b.slots[at])));
}

const isPlaced = (slot: Slot): boolean => slot instanceof TexelSlot || slot instanceof ImageSlot;

function join(instances: readonly Dispatch[]): Dispatch {
  const [first, ...others] = instances;
  if (others.length === 0) return first;
  const [x, y] = first.workgroups, count = instances.length;
  const writes = instances.flatMap(({ writes = [] }) => writes);
  return {
    ...first,
    variant: `${count} x ${first.variant}`,
    ...(first.writes && { writes }),
    instances: others.map(({ slots }) => slots),
    workgroups: [x, y, count],
    flops: count * first.flops,
  };
}

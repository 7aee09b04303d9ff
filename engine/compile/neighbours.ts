// Which images cannot lie in one texture, and which have to: a kernel must not read and write the same one, but
// finds what its instances read in one, and all that it writes.

import { allSlots, type Dispatch, partsOf, type Slot } from "../kernels/dispatch.ts";
import { ImageSlot } from "../kernels/image.ts";

/** Slots by slot; each has itself and others. */
export type Neighbours = ReadonlyMap<Slot, ReadonlySet<Slot>>;

const isImage = (slot: Slot): boolean => slot instanceof ImageSlot;

/** For each image those that a kernel reads while it writes this one, or writes while it reads this one. */
export function rivalsOf(dispatches: readonly Dispatch[]): Neighbours {
  const rivals = new Map<Slot, Set<Slot>>();
  for (const dispatch of dispatches) {
    const { writes = [] } = dispatch;
    const reads = allSlots(dispatch).filter((slot) => isImage(slot) && !writes.includes(slot));
    for (const written of writes.filter(isImage)) {
      for (const read of reads) {
        rivals.set(read, (rivals.get(read) ?? new Set()).add(written));
        rivals.set(written, (rivals.get(written) ?? new Set()).add(read));
      }
    }
  }
  return rivals;
}

/** For each image of a kernel with several instances, or that writes several, all that have to lie where it does. */
export function partnersOf(dispatches: readonly Dispatch[]): Neighbours {
  return dispatches.reduce((partners: Neighbours, dispatch) => {
    const alike = partsOf(dispatch).flatMap(([slots, ...others]) =>
      others.map((other) => [slots, other] as const)
    );
    return alike.reduce(
      (partners, [slots, others]) => unite(partners, slots, others),
      gather(partners, imagesOf(dispatch.writes ?? [])),
    );
  }, new Map());
}

/** Images among slots. */
export const imagesOf = (slots: readonly Slot[]): readonly Slot[] => slots.filter(isImage);

/** Partners, when images have become some, too. */
export function gather(partners: Neighbours, images: readonly Slot[]): Neighbours {
  const [first, ...others] = images;
  return others.reduce((partners, other) => unite(partners, [first], [other]), partners);
}

/** Partners, when images bound to the same numbers of two instances have become some, too. */
export function unite(
  partners: Neighbours,
  slots: readonly Slot[],
  others: readonly Slot[],
): Neighbours {
  const all = new Map(partners);
  slots.forEach((slot, at) => {
    if (slot === others[at] || !isImage(slot)) return;
    const joined = new Set([slot, others[at]].flatMap((each) => [...all.get(each) ?? [each]]));
    joined.forEach((each) => all.set(each, joined));
  });
  return all;
}

/** Whether some of the slots have partners that are rivals, so that there is no texture for both. */
export function quarrel(
  slots: readonly Slot[],
  { partners, rivals }: { partners: Neighbours; rivals: Neighbours },
): boolean {
  return slots.some((slot) => {
    const own = partners.get(slot);
    return own !== undefined &&
      [...own].some((one) => !(rivals.get(one)?.isDisjointFrom(own) ?? true));
  });
}

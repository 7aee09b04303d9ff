// Where stored values lie: in variables and other memory that outlives a run, or in an arena whose ranges
// are reused as soon as nobody needs what they hold.

import type { Dispatch, Slot } from "../kernels/dispatch.ts";
import { byteLength } from "../dtype.ts";
import { IMAGE_WIDTH, ImageSlot } from "../kernels/image.ts";
import { storageType } from "./wgsl.ts";
import type { Tensor } from "../tensor.ts";
import type { Batch } from "./batch.ts";
import type { Group } from "./fuse.ts";

/** A slot of the arena; the others are given by {@linkcode assignSlots}'s caller. */
export class ArenaSlot implements Slot {
  constructor(readonly bytes: number) {}
}

/** Slots by stored tensor. */
export type Slots = ReadonlyMap<Tensor, Slot>;

/**
 * Gives every output of the groups a slot. A result that is pointwise, in an epilogue too, takes over the memory of an input that it is
 * the last to read, where both are read and written at the same offsets.
 *
 * @param given slots of leaves, and of the outputs that outlive the run.
 * @param options.inPlace off: every result gets memory of its own.
 */
export function assignSlots(
  batches: readonly Batch[],
  given: ReadonlyMap<Tensor, Slot>,
  options: { inPlace: boolean },
): Map<Tensor, Slot> {
  // Of the last batch that reads a tensor, the only group that does; undefined where there are several.
  const lastReader = new Map<Tensor, Group | undefined>();
  for (const batch of batches) {
    const here = new Set<Tensor>();
    for (const group of batch) {
      for (const read of group.reads.keys()) {
        lastReader.set(read, here.has(read) ? undefined : group);
        here.add(read);
      }
    }
  }

  const slots = new Map(given);
  for (const group of batches.flat()) {
    const canReplace = group.kind !== "reduce" && options.inPlace;
    const free = [...group.reads].flatMap(([read, inPlace]) =>
      canReplace && inPlace && lastReader.get(read) === group && !given.has(read) ? [read] : []
    );
    for (const output of group.outputs) {
      if (slots.has(output)) continue;
      const at = free.findIndex((x) =>
        x.size === output.size && storageType(x.dtype) === storageType(output.dtype)
      );
      slots.set(
        output,
        at < 0
          ? new ArenaSlot(byteLength(output.size, output.dtype))
          : slots.get(free.splice(at, 1)[0])!,
      );
    }
  }
  return slots;
}

/** Ranges of one or several arenas: `arena` counts buffers, `offset` is in bytes. */
export interface Placement {
  readonly ranges: ReadonlyMap<Slot, { readonly arena: number; readonly offset: number }>;
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  /** The textures of images, by number. */
  readonly images: ReadonlyMap<Slot, number>;
  /** Rows of each texture. */
  readonly textures: readonly number[];
}

/** What a placement takes in all. */
export function placementBytes({ arenas, textures }: Placement): number {
  const rows = textures.reduce((sum, rows) => sum + rows, 0);
  return arenas.reduce((sum, bytes) => sum + bytes, 16 * IMAGE_WIDTH * rows);
}

/** The dispatches that use a slot. */
interface Life {
  readonly first: number;
  readonly last: number;
}

const ALIGNMENT = 256;

/**
 * Places arena slots and images so that those alive at the same time never overlap: the largest first, a slot at
 * the lowest offset that is free during its life, an image in the first texture that is.
 *
 * @param options.maxBytes the largest buffer that the device makes; a plan that needs more gets several.
 * @param options.reuse off: every slot stays alive to the end.
 */
export function place(
  dispatches: readonly Dispatch[],
  options: { maxBytes: number; reuse: boolean },
): Placement {
  const lives = livesOf(dispatches, options);
  const ranges = new Map<Slot, { arena: number; offset: number }>();
  const arenas: number[] = [];
  const placed: { arena: number; offset: number; end: number; life: Life }[] = [];
  for (const [slot, life] of lives) {
    if (!(slot instanceof ArenaSlot)) continue;
    const bytes = Math.ceil(slot.bytes / ALIGNMENT) * ALIGNMENT;
    const rivals = placed.filter((rival) => meet(rival.life, life));
    let arena = 0, offset = 0;
    for (;; arena++) {
      offset = lowestGap(rivals.filter((r) => r.arena === arena), bytes);
      if (offset + bytes <= options.maxBytes || offset === 0) break;
    }
    arenas[arena] = Math.max(arenas[arena] ?? 0, offset + bytes);
    ranges.set(slot, { arena, offset });
    placed.push({ arena, offset, end: offset + bytes, life });
  }
  return { ranges, arenas, ...placeImages(lives) };
}

/** The lives of slots that are a plan's own, the largest slots first. */
function livesOf(
  dispatches: readonly Dispatch[],
  { reuse }: { reuse: boolean },
): [Slot, Life][] {
  const lives = new Map<Slot, Life>();
  dispatches.forEach((dispatch, at) => {
    for (const slot of dispatch.slots) {
      if (!(slot instanceof ArenaSlot || slot instanceof ImageSlot)) continue;
      const first = lives.get(slot)?.first ?? at;
      lives.set(slot, { first, last: reuse ? at : dispatches.length });
    }
  });
  return [...lives].sort((a, b) => b[0].bytes - a[0].bytes || a[1].first - b[1].first);
}

const meet = (a: Life, b: Life): boolean => a.first <= b.last && b.first <= a.last;

function placeImages(lives: readonly [Slot, Life][]): Pick<Placement, "images" | "textures"> {
  const images = new Map<Slot, number>();
  const textures: number[] = [];
  const taken: Life[][] = [];
  for (const [slot, life] of lives) {
    if (!(slot instanceof ImageSlot)) continue;
    const free = taken.findIndex((others) => !others.some((other) => meet(other, life)));
    const at = free < 0 ? textures.length : free;
    textures[at] ??= slot.rows;
    (taken[at] ??= []).push(life);
    images.set(slot, at);
  }
  return { images, textures };
}

/** The lowest offset at which `bytes` fit between ranges that are taken. */
function lowestGap(taken: { offset: number; end: number }[], bytes: number): number {
  let offset = 0;
  for (const range of taken.sort((a, b) => a.offset - b.offset)) {
    if (range.offset - offset >= bytes) break;
    offset = Math.max(offset, range.end);
  }
  return offset;
}

/**
 * Bytes of a plan's own memory that are alive at once at the worst moment, slots and images apart, for neither can
 * lie where the other did: no placement needs less.
 */
export function livenessBound(dispatches: readonly Dispatch[]): number {
  const lives = livesOf(dispatches, { reuse: true });
  const most = (kind: (slot: Slot) => boolean): number => {
    const change = new Float64Array(dispatches.length + 1);
    for (const [slot, { first, last }] of lives.filter(([slot]) => kind(slot))) {
      change[first] += slot.bytes;
      change[last + 1] -= slot.bytes;
    }
    let alive = 0;
    return change.reduce((most, bytes) => Math.max(most, alive += bytes), 0);
  };
  return most((slot) => slot instanceof ArenaSlot) + most((slot) => slot instanceof ImageSlot);
}

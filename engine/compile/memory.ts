// Where stored values lie: in variables and other memory that outlives a run, or in an arena whose ranges
// are reused as soon as nobody needs what they hold. The arena is buffers, and on CPU adapters a texture.

import { allSlots, type Dispatch, type Slot } from "../kernels/dispatch.ts";
import { byteLength } from "../dtype.ts";
import { IMAGE_WIDTH, ImageSlot } from "../kernels/image.ts";
import { TEXEL_WIDTH, TexelSlot } from "../kernels/texels.ts";
import { type Neighbours, partnersOf, rivalsOf } from "./neighbours.ts";
import { storageType } from "./wgsl.ts";
import type { Tensor } from "../tensor.ts";
import type { Group } from "./fuse.ts";

/** A slot of the arena's buffers; the others are given by {@linkcode assignSlots}'s caller. */
export class ArenaSlot implements Slot {
  constructor(readonly bytes: number) {}
}

/** What one dispatch of a launch leaves to those after it: it is written once. */
export class ScratchSlot extends ArenaSlot {}

/** Slots by stored tensor. */
export type Slots = ReadonlyMap<Tensor, Slot>;

/** Whether a value of the plan's own lies in texels, if its plan has `textures` for them, rather than in a buffer. */
function liesInTexels({ dtype }: Tensor, options: { textures: boolean }): boolean {
  return options.textures && dtype === "f32";
}

/**
 * Gives every output of the groups a slot. A result that is pointwise, in an epilogue too, takes over the memory of
 * an input that it is the last to read, where both are read and written at the same offsets.
 *
 * @param given slots of leaves, and of the outputs that outlive the run.
 * @param options.inPlace off: every result gets memory of its own.
 * @param options.textures float32 results become texels.
 */
export function assignSlots(
  groups: readonly Group[],
  given: ReadonlyMap<Tensor, Slot>,
  options: { inPlace: boolean; textures: boolean },
): Map<Tensor, Slot> {
  const lastReader = new Map<Tensor, Group>();
  for (const group of groups) {
    for (const read of group.reads.keys()) lastReader.set(read, group);
  }

  const slots = new Map(given);
  for (const group of groups) {
    const canReplace = group.kind !== "reduce" && options.inPlace;
    const free = [...group.reads].flatMap(([read, inPlace]) =>
      canReplace && inPlace && lastReader.get(read) === group && !given.has(read) ? [read] : []
    );
    for (const output of group.outputs) {
      if (slots.has(output)) continue;
      const at = free.findIndex((x) =>
        x.size === output.size && storageType(x.dtype) === storageType(output.dtype)
      );
      const slot = at < 0 ? undefined : slots.get(free.splice(at, 1)[0]);
      const Kind = liesInTexels(output, options) ? TexelSlot : ArenaSlot;
      slots.set(output, slot ?? new Kind(byteLength(output.size, output.dtype)));
    }
  }
  return slots;
}

/** Ranges of several arenas, in elements of their kind. */
export interface Ranges {
  readonly of: ReadonlyMap<Slot, { readonly arena: number; readonly offset: number }>;
  /** The length of each arena. */
  readonly lengths: readonly number[];
}

/** Where a plan's own memory lies. */
export interface Placement {
  /** Ranges of buffers, in bytes. */
  readonly buffers: Ranges;
  /** Ranges of one texture, in texels of a number each. */
  readonly texels: Ranges;
  /** Ranges of textures, in texels of four numbers each. */
  readonly images: Ranges;
}

/** What a placement takes in all. */
export function placementBytes({ buffers, texels, images }: Placement): number {
  const total = ({ lengths }: Ranges): number => lengths.reduce((a, b) => a + b, 0);
  return total(buffers) + 4 * total(texels) + 16 * total(images);
}

/** The dispatches that use a slot. */
interface Life {
  readonly first: number;
  readonly last: number;
}

/** Buffers are bound at multiples of this. */
const ALIGNMENT = 256;

/**
 * Places a plan's own memory so that slots alive at the same time never overlap, the largest first.
 *
 * @param options.maxBytes the largest buffer that the device makes; a plan that needs more gets several.
 * @param options.maxRows the highest texture. Texels have only one, and images that
 * have to lie together: see {@linkcode textureRows}.
 * @param options.reuse off: every slot stays alive to the end.
 */
export function place(
  dispatches: readonly Dispatch[],
  options: { maxBytes: number; maxRows: number; reuse: boolean },
): Placement {
  const lives = livesOf(dispatches, options), { maxBytes, maxRows } = options;
  const rivals = rivalsOf(dispatches), partners = partnersOf(dispatches);
  const rangesOf = (kind: (slot: Slot) => boolean, space: Partial<Space>): Ranges =>
    placeRanges(lives.filter(([slot]) => kind(slot)), { ...anySpace, ...space });
  return {
    buffers: rangesOf(inBuffers, { unit: ALIGNMENT, longest: maxBytes }),
    texels: wholeRows(rangesOf(inTexels, { bytes: 4, unit: ALIGNMENT / 4 }), TEXEL_WIDTH),
    images: rangesOf(inImages, {
      bytes: 16,
      unit: IMAGE_WIDTH,
      longest: maxRows * IMAGE_WIDTH,
      rivals,
      partners,
    }),
  };
}

/** Rows of the texture that holds the texels, and of the highest that holds images. */
export function textureRows({ texels, images }: Placement): { texels: number; images: number } {
  return {
    texels: (texels.lengths[0] ?? 0) / TEXEL_WIDTH,
    images: Math.max(0, ...images.lengths) / IMAGE_WIDTH,
  };
}

const wholeRows = ({ of, lengths }: Ranges, width: number): Ranges => ({
  of,
  lengths: lengths.map((length) => Math.ceil(length / width) * width),
});

/** The kinds of a plan's own memory: none can lie where another did. */
const inBuffers = (slot: Slot): boolean => slot instanceof ArenaSlot;
const inTexels = (slot: Slot): boolean => slot instanceof TexelSlot;
const inImages = (slot: Slot): boolean => slot instanceof ImageSlot;

/** Whether memory is a plan's own, and nobody's before or after a run, unless it is kept. */
export const isOwn = (slot: Slot): boolean => inBuffers(slot) || inTexels(slot) || inImages(slot);

/** What constant dispatches leave to those that always run: it keeps its memory from run to run. */
export function keptSlots(dispatches: readonly Dispatch[]): Set<Slot> {
  const used = (of: boolean): Set<Slot> =>
    new Set(dispatches.filter(({ constant = false }) => constant === of).flatMap(allSlots));
  const constants = used(true);
  return new Set(
    [...constants.size > 0 ? used(false) : []].filter((slot) => isOwn(slot) && constants.has(slot)),
  );
}

/** The bytes of {@linkcode keptSlots}. */
export function keptBytes(dispatches: readonly Dispatch[]): number {
  return [...keptSlots(dispatches)].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What ranges are made of. */
interface Space {
  /** Bytes of an element. */
  readonly bytes: number;
  /** Ranges begin and end at multiples of so many elements. */
  readonly unit: number;
  /** The length of an arena, at most, unless a single slot is longer. */
  readonly longest: number;
  /** Slots that cannot lie in the same arena. */
  readonly rivals: Neighbours;
  /** Slots that have to lie in the same arena, though it may become too long. */
  readonly partners: Neighbours;
}

const anySpace: Space = {
  bytes: 1,
  unit: 1,
  longest: Infinity,
  rivals: new Map(),
  partners: new Map(),
};

/** Each slot at the lowest offset that is free during its life, in the arena that grows the least by it. */
function placeRanges(lives: readonly [Slot, Life][], space: Space): Ranges {
  const { bytes, unit, longest, rivals, partners } = space;
  const of = new Map<Slot, { arena: number; offset: number }>();
  const lengths: number[] = [];
  const placed: { arena: number; offset: number; end: number; life: Life }[] = [];
  const withPartners = (slots: Iterable<Slot>): Slot[] =>
    [...slots].flatMap((slot) => [...partners.get(slot) ?? [slot]]);
  const arenasOf = (slots: readonly Slot[]): Set<number> =>
    new Set(slots.flatMap((slot) => of.get(slot)?.arena ?? []));
  for (const [slot, life] of lives) {
    const length = Math.ceil(slot.bytes / bytes / unit) * unit;
    const others = placed.filter((other) => meet(other.life, life));
    const own = withPartners([slot]), [home] = arenasOf(own);
    const apart = arenasOf(withPartners(own.flatMap((each) => [...rivals.get(each) ?? []])));
    const places = lengths.flatMap((end, arena) => {
      if (home === undefined ? apart.has(arena) : arena !== home) return [];
      const offset = lowestGap(others.filter((other) => other.arena === arena), length);
      const growth = Math.max(0, offset + length - end);
      const long = offset + length > longest && offset > 0 && home === undefined;
      return long ? [] : [{ arena, offset, growth }];
    });
    const fresh = { arena: lengths.length, offset: 0, growth: length };
    const [{ arena, offset }] = places.length === 0
      ? [fresh]
      : places.sort((a, b) => a.growth - b.growth);
    lengths[arena] = Math.max(lengths[arena] ?? 0, offset + length);
    of.set(slot, { arena, offset });
    placed.push({ arena, offset, end: offset + length, life });
  }
  return { of, lengths };
}

/** The lives of slots that are a plan's own, the largest slots first. */
function livesOf(
  dispatches: readonly Dispatch[],
  { reuse }: { reuse: boolean },
): [Slot, Life][] {
  const lives = new Map<Slot, Life>(), kept = keptSlots(dispatches);
  dispatches.forEach((dispatch, at) => {
    for (const slot of allSlots(dispatch)) {
      if (!isOwn(slot)) continue;
      const first = lives.get(slot)?.first ?? at;
      lives.set(slot, { first, last: reuse && !kept.has(slot) ? at : dispatches.length });
    }
  });
  return [...lives].sort((a, b) => b[0].bytes - a[0].bytes || a[1].first - b[1].first);
}

const meet = (a: Life, b: Life): boolean => a.first <= b.last && b.first <= a.last;

/** The lowest offset at which a length fits between ranges that are taken. */
function lowestGap(taken: { offset: number; end: number }[], length: number): number {
  let offset = 0;
  for (const range of taken.sort((a, b) => a.offset - b.offset)) {
    if (range.offset - offset >= length) break;
    offset = Math.max(offset, range.end);
  }
  return offset;
}

/**
 * Bytes of a plan's own memory that are alive at once at the worst moment, buffers, texels and images apart, for
 * none can lie where another did: no placement needs less.
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
  return most(inBuffers) + most(inTexels) + most(inImages);
}

/** What a plan may need at once that needed so much, and may grow by a share, or by so many bytes. */
export function mostBytes(needed: number, growth: { share: number; bytes: number }): number {
  return needed + Math.max(growth.share * needed, growth.bytes);
}

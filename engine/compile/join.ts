// Kernels that do not need each other share a dispatch. Between any two dispatches a GPU waits until the last
// workgroup of the first has ended; within one, the workgroups of one kernel take the places that another's leave
// free. So the discriminator goes over real and fake pictures side by side, both gradients of a layer are computed
// together, and what is small disappears beside what is large. On a CPU adapter, what is small runs together.
//
// Dispatches are taken in an order, and along with each one all others that can run by then. In which order, decides
// what there is to take. On a GPU those come first that the most others wait for, one after the other, and whoever
// has time waits, for his like to come; on a CPU adapter, what is small waits until somebody needs it. What comes
// early or waits has to be kept for longer. Where that would be too much, it does not come; and where even the order
// takes too much, another is tried that is closer to how the program was written.

import { allSlots, type Dispatch, type Slot } from "../kernels/dispatch.ts";
import type { Launched } from "./copies.ts";
import { canJoin, isSmall, join, type Joinable, joinable, type JoinTarget } from "./joint.ts";
import { isOwn, keptSlots, livenessBound, mostBytes } from "./memory.ts";
import { readModule } from "./module.ts";
import { gather, imagesOf, partnersOf, quarrel, rivalsOf } from "./neighbours.ts";
import { predecessors } from "./predecessors.ts";

/** How much more memory may be needed at once than where every dispatch keeps its turn: a share, or bytes. */
const MOST_MEMORY = { share: 1 / 8, bytes: 2 ** 27 };
/** How far an order goes from the program's to that of urgency, tried in turn. */
const URGENCIES = [1, 0.75, 0.5, 0.25, 0];
/** Of what joining may cost on a CPU adapter, shares, tried in turn: what costs little comes first. */
const SHARES = [1 / 16, 1 / 4, 1];

/** Joins dispatches that do not need each other. */
export function joinDispatches(
  launched: readonly Launched[],
  target: JoinTarget,
): Dispatch[] {
  const codes = new Set(launched.map(({ dispatch }) => dispatch.code));
  const modules = new Map([...codes].map((code) => [code, readModule(code)]));
  const all = launched.map(({ dispatch }) => joinable(dispatch, modules.get(dispatch.code)!));
  const apart = launched.map(({ dispatch }) => dispatch);
  const most = mostBytes(livenessBound(apart), MOST_MEMORY), before = waits(launched);
  for (const order of ordersFor(target, { all, before })) {
    const turns = (target.cpu ? SHARES : [1]).reduce<readonly Turn[]>(
      (turns, share) => takeTogether(all, { turns, before, most, target: { ...target, share } }),
      order.map((at) => [at]),
    );
    const joined = turns.map((some) => join(some.map((at) => all[at]), target));
    if (livenessBound(joined) <= most) return joined;
  }
  return apart;
}

/** Dispatches that run together, by their numbers. */
type Turn = readonly number[];

/** Orders in which to take dispatches, the program's last. */
function* ordersFor(
  target: JoinTarget,
  { all, before }: { all: readonly Joinable[]; before: readonly ReadonlySet<number>[] },
): Generator<number[]> {
  if (target.cpu) {
    yield orderByNeed(all.map((each) => isSmall(each, target)), before);
    yield [...before.keys()];
  } else for (const urgency of URGENCIES) yield orderBy(urgency, before);
}

/** The program's order, but for what is small: that comes right before somebody who needs it and is not. */
function orderByNeed(
  small: readonly boolean[],
  before: readonly ReadonlySet<number>[],
): number[] {
  const taken = new Set<number>();
  const take = (at: number): void => {
    if (taken.has(at)) return;
    [...before[at]].sort((a, b) => a - b).forEach(take);
    taken.add(at);
  };
  for (const at of before.keys()) if (!small[at]) take(at);
  for (const at of before.keys()) take(at);
  return [...taken];
}

/** The dispatches that have to run before each: constant ones come first. */
function waits(launched: readonly Launched[]): readonly ReadonlySet<number>[] {
  const constant = [...launched.keys()].filter((at) => launched[at].dispatch.constant);
  return predecessors(launched).map((before, at) =>
    launched[at].dispatch.constant ? before : before.union(new Set(constant))
  );
}

/** An order between the program's, at 0, and that by how many dispatches follow each other after one, at 1. */
function orderBy(urgency: number, before: readonly ReadonlySet<number>[]): number[] {
  const program = [...before.keys()], followers = program.map(() => 0);
  for (const at of program.toReversed()) {
    for (const earlier of before[at]) {
      followers[earlier] = Math.max(followers[earlier], followers[at] + 1);
    }
  }
  const places = new Map(
    program.toSorted((a, b) => followers[b] - followers[a]).map((at, place) => [at, place]),
  );
  // Who comes before another in both orders does so between them.
  const rank = (at: number): number => urgency * places.get(at)! + (1 - urgency) * at;
  return program.toSorted((a, b) => rank(a) - rank(b));
}

/** Takes turns in order, and along with each one others that can run by then, as far as there is memory. */
function takeTogether(
  all: readonly Joinable[],
  options: {
    turns: readonly Turn[];
    before: readonly ReadonlySet<number>[];
    most: number;
    target: JoinTarget;
  },
): Turn[] {
  const { turns, before, most, target } = options, dispatches = all.map(({ dispatch }) => dispatch);
  const kept = keptSlots(dispatches), own = dispatches.map((each) => allSlots(each).filter(isOwn));
  const slotsOf = (turn: Turn): Slot[] => [...new Set(turn.flatMap((at) => own[at]))];
  const written = (turn: Turn) => imagesOf(turn.flatMap((at) => dispatches[at].writes ?? []));
  const rivals = rivalsOf(dispatches);
  let partners = turns.reduce(
    (sofar, turn) => gather(sofar, written(turn)),
    partnersOf(dispatches),
  );
  const done = new Set<number>(), taken: Turn[] = [];
  let alive = new Set<Slot>();
  for (let rest = [...turns]; rest.length > 0;) {
    const some = [...rest[0]], { code } = dispatches[some[0]];
    const memory = new MemoryAhead(rest.map(slotsOf), { alive, kept });
    const isLike = ([at]: Turn): boolean => dispatches[at].code === code;
    const ready = rest.map((turn, place) => ({ turn, place })).slice(1)
      .filter(({ turn }) => turn.every((at) => before[at].isSubsetOf(done)));
    for (const { turn, place } of ready.toSorted((a, b) => +isLike(b.turn) - +isLike(a.turn))) {
      const more = [...some, ...turn];
      if (!canJoin(more.map((at) => all[at]), target)) continue;
      const images = written(more), together = gather(partners, images);
      if (quarrel(images, { partners: together, rivals }) || !memory.advance(place, most)) continue;
      partners = together;
      some.push(...turn);
    }
    some.forEach((at) => done.add(at));
    rest = rest.filter(([at]) => !done.has(at));
    const begun = new Set([...alive, ...slotsOf(some)]);
    alive = new Set(rest.flatMap(slotsOf).filter((slot) => begun.has(slot)));
    taken.push(some);
  }
  return taken;
}

/** What is needed at once in each of the turns that are left. */
class MemoryAhead {
  readonly #slots: readonly (readonly Slot[])[];
  readonly #alive: ReadonlySet<Slot>;
  readonly #kept: ReadonlySet<Slot>;
  /** The turns that use a slot, in order. */
  readonly #turns = new Map<Slot, number[]>();
  readonly #bytes: Float64Array;

  /**
   * @param slots what each turn uses.
   * @param options.alive what of it has been written before; and kept to the end of all.
   */
  constructor(
    slots: readonly (readonly Slot[])[],
    { alive, kept }: { alive: ReadonlySet<Slot>; kept: ReadonlySet<Slot> },
  ) {
    this.#slots = slots;
    this.#alive = alive;
    this.#kept = kept;
    this.#bytes = new Float64Array(slots.length);
    slots.forEach((used, turn) =>
      used.forEach((slot) => this.#turns.set(slot, [...this.#turns.get(slot) ?? [], turn]))
    );
    for (const [slot, turns] of this.#turns) {
      const last = kept.has(slot) ? slots.length - 1 : turns.at(-1)!;
      for (let turn = alive.has(slot) ? 0 : turns[0]; turn <= last; turn++) {
        this.#bytes[turn] += slot.bytes;
      }
    }
  }

  /** Lets what has a turn run in the first one, unless more than `most` bytes would be needed by that. */
  advance(turn: number, most: number): boolean {
    const change = new Float64Array(turn + 1);
    for (const slot of this.#slots[turn]) {
      const turns = this.#turns.get(slot)!;
      if (turns[0] === turn && !this.#alive.has(slot)) change.subarray(0, turn).forEach(add(slot));
      if (turns.at(-1) === turn && !this.#kept.has(slot)) {
        change.subarray((turns.at(-2) ?? 0) + 1).forEach(add(slot, -1));
      }
    }
    if (change.some((bytes, at) => bytes > 0 && this.#bytes[at] + bytes > most)) return false;
    change.forEach((bytes, at) => this.#bytes[at] += bytes);
    for (const slot of this.#slots[turn]) {
      const others = this.#turns.get(slot)!.filter((each) => each !== turn && each !== 0);
      this.#turns.set(slot, [0, ...others]);
    }
    return true;
  }
}

/** Adds a slot's bytes to each of an array's. */
const add = ({ bytes }: Slot, times = 1) => (_: number, at: number, array: Float64Array): void => {
  array[at] += times * bytes;
};

// Groups -> an order to run them in, close to the order in which they were written, such that variables can
// be overwritten in place: whoever reads the old value comes first.

import { copyOp } from "../ops/elementwise.ts";
import { Tensor } from "../tensor.ts";
import { type Variable, variableOp } from "../variable.ts";
import type { Group } from "./fuse.ts";

/** Groups in order, and which tensors are written straight into variables. */
export interface Schedule {
  readonly groups: readonly Group[];
  readonly variables: ReadonlyMap<Tensor, Variable>;
}

/**
 * Orders groups. A variable that cannot be overwritten by its new value's own kernel, because someone needs
 * both the old and the new one, is copied at the end.
 *
 * @param assignments new values by variable; each is the output of one group and of one variable only.
 */
export function schedule(
  groups: readonly Group[],
  assignments: ReadonlyMap<Variable, Tensor>,
): Schedule {
  const all = [...groups];
  const producer = new Map<Tensor, Group>();
  for (const group of groups) group.outputs.forEach((output) => producer.set(output, group));
  const after = new Map<Group, Set<Group>>(groups.map((group) => [group, new Set()]));
  for (const group of groups) {
    for (const read of group.reads.keys()) {
      const source = producer.get(read);
      if (source !== undefined) after.get(source)!.add(group);
    }
  }

  const readers = new Map<Variable, Group[]>();
  for (const group of groups) {
    for (const read of group.reads.keys()) {
      if (read.op !== variableOp) continue;
      const variable: Variable = read.attributes.variable;
      readers.set(variable, [...readers.get(variable) ?? [], group]);
    }
  }

  const variables = new Map<Tensor, Variable>();
  for (const [variable, value] of assignments) {
    const old = readers.get(variable) ?? [];
    let target = value, writer = producer.get(value)!;
    if (!canOverwrite(writer, variable) || reaches(writer, old, after)) {
      target = new Tensor(copyOp, [value], {}, value.shape, value.dtype, value.origin);
      const copy: Group = { kind: "pointwise", outputs: [target], reads: new Map([[value, true]]) };
      after.get(writer)!.add(copy);
      after.set(copy, new Set());
      all.push(copy);
      writer = copy;
    }
    for (const reader of old) if (reader !== writer) after.get(reader)!.add(writer);
    variables.set(target, variable);
  }
  return { groups: order(all, after), variables };
}

/** Whether a group that reads a variable at all reads it only where it writes. */
function canOverwrite(writer: Group, variable: Variable): boolean {
  for (const [read, inPlace] of writer.reads) {
    if (read.attributes.variable === variable && !inPlace) return false;
  }
  return true;
}

/** Whether any of `targets`, other than `from` itself, has to run after `from`. */
function reaches(
  from: Group,
  targets: readonly Group[],
  after: ReadonlyMap<Group, ReadonlySet<Group>>,
): boolean {
  const wanted = new Set(targets);
  wanted.delete(from);
  if (wanted.size === 0) return false;
  const seen = new Set<Group>();
  const stack = [...after.get(from)!];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (wanted.has(at)) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    stack.push(...after.get(at)!);
  }
  return false;
}

/** Of the groups that may run, always the one that was written first. */
function order(
  groups: readonly Group[],
  after: ReadonlyMap<Group, ReadonlySet<Group>>,
): Group[] {
  // A product keeps its place, whatever its results are for: those who wait would keep its operands alive. A copy
  // is as old as what it copies, and what is given is oldest: who reads copies should not have to wait for them.
  const ageOf = ({ op, inputs: [x], id }: Tensor): number =>
    op !== copyOp ? id : x.op.kind === "leaf" ? -1 : x.id;
  const age = new Map(
    groups.map((g) => [g, g.product?.id ?? Math.max(...g.outputs.map(ageOf))]),
  );
  const waitsFor = new Map<Group, number>(groups.map((group) => [group, 0]));
  for (const next of after.values()) {
    for (const group of next) waitsFor.set(group, waitsFor.get(group)! + 1);
  }
  const ready = groups.filter((group) => waitsFor.get(group) === 0);
  const ordered: Group[] = [];
  while (ready.length > 0) {
    let first = 0;
    ready.forEach((group, at) => {
      if (age.get(group)! < age.get(ready[first])!) first = at;
    });
    const [group] = ready.splice(first, 1);
    ordered.push(group);
    for (const next of after.get(group)!) {
      const left = waitsFor.get(next)! - 1;
      waitsFor.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  if (ordered.length !== groups.length) throw new Error("The plan's groups wait for each other");
  return ordered;
}

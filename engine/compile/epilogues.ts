// Epilogues: what a product's kernel does with each of its results before it stores it. A pointwise group that
// reads a product, element by element or in another order of the elements, moves into the product's kernel:
// its bias, activation, residual sum or PixelShuffle, a gradient's mask, a weight's update. The pass over
// memory that read the product is saved, and where nobody else reads it, the one that stored it.
//
// On CPU adapters that has to pay: kernels of their own load and store four numbers of a buffer together, and load
// once what four neighbours have in common.

import finishCode from "../../shaders/finish.wgsl" with { type: "text" };
import { byteLength } from "../dtype.ts";
import type { Dispatch, KernelContext, Slot } from "../kernels/dispatch.ts";
import type { Epilogue, Given, Operand } from "../kernels/results.ts";
import { instantiate } from "../kernels/template.ts";
import { TexelSlot } from "../kernels/texels.ts";
import type { KernelOp } from "../op.ts";
import { permuteOp, reshapeOp } from "../ops/movement.ts";
import type { Tensor } from "../tensor.ts";
import { type Variable, variableOp } from "../variable.ts";
import { Bindings, Body, librariesOf, QUAD } from "./body.ts";
import { areNeighbours, describe, fusedDispatches, storeNeighbours } from "./codegen.ts";
import { dependsOn, type Group, stripReshape } from "./fuse.ts";
import { Index } from "./index_expression.ts";
import type { Slots } from "./memory.ts";
import { Scope } from "./scope.ts";
import { reachable } from "./simplify.ts";
import { type TexelCopies, withCopies } from "./texel_copies.ts";
import { APART, costOf, DISPATCH, slotsLike, STORE } from "./texel_costs.ts";

/**
 * Nodes of an epilogue, at most: a tile's kernel repeats them for each of a thread's results. Where those are texels,
 * it stores up to 64 by name.
 */
const MOST_NODES = { buffers: 64, texels: 24 };

/** What decides which groups become epilogues. */
export interface EpilogueOptions {
  /** How many buffers one kernel can be bound to. */
  readonly maxBuffers: number;
  /** What has to lie in memory after the run. */
  readonly roots: ReadonlySet<Tensor>;
  /** New values of variables, among the roots. */
  readonly assigned: ReadonlyMap<Tensor, Variable>;
  /** Where results lie in texels: an epilogue has to pay there. */
  readonly texels?: {
    /** Of what is small, and slow to load. */
    readonly copies: TexelCopies;
    /** The machine: products are asked how they give their results. */
    readonly context: KernelContext;
  };
}

/** Moves pointwise groups into the kernels of the products that they read, where they can be. */
export function fuseEpilogues(groups: readonly Group[], options: EpilogueOptions): Group[] {
  const producer = new Map(
    groups.flatMap((group) => group.outputs.map((output) => [output, group] as const)),
  );
  const depths = depthsOf(groups, producer);
  const result = new Set(groups);
  for (const group of groups) {
    if (group.kind !== "pointwise") continue;
    const isProduct = (read: Tensor): boolean => {
      const source = producer.get(read);
      return source?.kind === "kernel" && source.product === undefined;
    };
    // The one that is ready last: the others, and all that they keep alive, would have to wait for it.
    const depthOf = (read: Tensor): number => depths.get(producer.get(read)!)!;
    const products = [...group.reads.keys()].filter(isProduct)
      .sort((a, b) => depthOf(b) - depthOf(a));
    for (const product of products) {
      const kernel = producer.get(product)!;
      const others = [...result].filter((other) => other !== group && other !== kernel);
      const fused = withEpilogue({ kernel, group }, { ...options, others, producer });
      if (fused === undefined) continue;
      result.delete(kernel);
      result.delete(group);
      result.add(fused);
      [product, ...fused.outputs].forEach((node) => producer.set(node, fused));
      break;
    }
  }
  return [...result];
}

/** How many groups have to run before each, one after the other. */
function depthsOf(
  groups: readonly Group[],
  producer: ReadonlyMap<Tensor, Group>,
): ReadonlyMap<Group, number> {
  const depths = new Map<Group, number>();
  const depthOf = (group: Group): number => {
    let depth = depths.get(group);
    if (depth === undefined) {
      const sources = [...group.reads.keys()].flatMap((read) => producer.get(read) ?? []);
      depths.set(group, depth = Math.max(0, ...sources.map((source) => depthOf(source) + 1)));
    }
    return depth;
  };
  groups.forEach(depthOf);
  return depths;
}

/** A product's group and the one that would be its epilogue as one, or undefined where that cannot be. */
function withEpilogue(
  { kernel, group }: { kernel: Group; group: Group },
  options: EpilogueOptions & {
    others: readonly Group[];
    producer: ReadonlyMap<Tensor, Group>;
  },
): Group | undefined {
  const { maxBuffers, roots, assigned, texels, others, producer } = options;
  const [product] = kernel.outputs;
  const stays = roots.has(product) || others.some(({ reads }) => reads.has(product));
  const outputs = stays ? [product, ...group.outputs] : group.outputs;
  // Other threads still read the operands; and where a raw result goes, another thread reads what the group reads
  // in place, unless that is the raw result's place as well.
  const own = !stays || group.reads.get(product)!;
  const reads = new Map(kernel.reads);
  for (const [read, inPlace] of group.reads) {
    if (read !== product) reads.set(read, inPlace && own && !kernel.reads.has(read));
  }
  const most = MOST_NODES[texels ? "texels" : "buffers"];
  if (reachable(group.outputs, group.reads).length > most) return undefined;
  // Of one tensor as both operands, one is a copy.
  const operands = product.inputs.map(stripReshape).filter((x) => kernel.reads.has(x));
  const copies = operands.length - new Set(operands).size;
  const buffers = buffersOf([...outputs, ...reads.keys()], assigned);
  if (buffers.size + copies > maxBuffers) return undefined;
  const waits = [...group.reads.keys()].some((read) => {
    const source = producer.get(read);
    return source !== undefined && source !== kernel && dependsOn(source, kernel, producer);
  });
  const index = Index.linear(new Scope(), product.shape, "i");
  if (waits || placesOf(index, { ...group, product }) === undefined) return undefined;
  // Who reads a variable's old value must be done before the kernel writes the new one.
  const replaced = new Set(group.outputs.flatMap((output) => assigned.get(output) ?? []));
  const late = [kernel, ...others].some((other) =>
    [...other.reads.keys()].some(({ attributes }) => replaced.has(attributes.variable)) &&
    dependsOn(other, kernel, producer)
  );
  if (late || texels && !pays(group, { product, stays, ...options, ...texels })) return undefined;
  const copied = new Map(kernel.copied);
  for (const read of group.reads.keys()) {
    const copy = read === product ? undefined : texels?.copies.of(read, product);
    if (copy === undefined) continue;
    copied.set(read, copy);
    reads.set(copy, false);
    if (!kernel.reads.has(read)) reads.delete(read);
  }
  return { ...kernel, product, outputs, reads, ...(copied.size > 0 && { copied }) };
}

/** Whether a group takes a CPU adapter less as the epilogue of a product than as a kernel of its own. */
function pays(
  group: Group,
  options: EpilogueOptions & { product: Tensor; stays: boolean; context: KernelContext },
): boolean {
  const { product, stays, roots, assigned, context } = options, { outputs, reads } = group;
  const given = endOf(product, context);
  // Both gradients of a weight are computed by one kernel, if both are stored.
  const twins = [...reads.keys()].some((x) => x !== product && isAlike(x, product));
  if (given === undefined || twins) return false;
  const tensors = [...reads.keys(), ...outputs], memory = { roots, textures: true };
  const fused = finish({ ...group, product, reads: without(reads, product) }, {
    slots: slotsLike(tensors, { ...memory, beside: product }),
    ...{ ...given, quads: false, operands: [] },
  });
  const slots = slotsLike(tensors, memory);
  const pass = new Body(reads, new Bindings(slots, { quads: false }));
  const at = pass.scope.sum([["i", QUAD]]);
  for (const output of outputs) {
    pass.values(output, (lane) => pass.index(output.shape, at, lane), QUAD);
  }
  const inBuffers = outputs.filter((output) => !(slots.get(output) instanceof TexelSlot));
  const apart = given.width < QUAD || fused.apart;
  const saved = (stays ? 0 : STORE) + costOf(pass.work) / QUAD -
    costOf(fused.body.work) / given.width - (apart ? inBuffers.length * APART : 0);
  // Updates of variables wait for each other, and share dispatches.
  const dispatch = outputs.every((output) => assigned.has(output)) ? 0 : DISPATCH;
  return saved * product.size + dispatch > 0;
}

/** Whether two values are computed by the same kernel. */
function isAlike(a: Tensor, b: Tensor): boolean {
  const kernelOf = ({ op, inputs, attributes }: Tensor): string =>
    JSON.stringify([op.name, attributes, inputs.map(({ shape }) => shape)]);
  return a.op.kind === "kernel" && a.op === b.op && kernelOf(a) === kernelOf(b);
}

/** How a product gives its results in the form that a machine takes, if that takes epilogues. */
function endOf(product: Tensor, context: KernelContext): Given | undefined {
  let given: Given | undefined;
  const slotOf = ({ size, dtype }: Tensor): Slot => ({ bytes: byteLength(size, dtype) });
  const epilogue: Epilogue = (operands, asked) => {
    given = asked;
    const slots = operands.map(({ slot }) => slot);
    return { code: "", slots, writes: [], label: "", apart: false };
  };
  (product.op as KernelOp).launch({ ...context, epilogue }, product, {
    inputs: product.inputs.map(slotOf),
    output: slotOf(product),
  });
  return given;
}

const without = <K, V>(map: ReadonlyMap<K, V>, key: K): Map<K, V> =>
  new Map([...map].filter(([each]) => each !== key));

/** The memory of tensors, where variables are overwritten in place. */
function buffersOf(
  tensors: readonly Tensor[],
  assigned: ReadonlyMap<Tensor, Variable>,
): Set<Tensor | Variable> {
  return new Set(
    tensors.map((tensor) =>
      assigned.get(tensor) ?? (tensor.op === variableOp ? tensor.attributes.variable : tensor)
    ),
  );
}

/**
 * Where a group is when it reads the element of a product at `index`: the place of each node that is computed
 * from it, and of each output. Undefined where one would be at several places, or outputs at different ones.
 */
function placesOf(
  index: Index,
  { product, outputs, reads }: { product: Tensor } & Pick<Group, "outputs" | "reads">,
): ReadonlyMap<Tensor, Index> | undefined {
  const places = new Map([[product, index]]);
  for (const node of reachable(outputs, reads)) {
    const [first, ...others] = node.inputs.flatMap((input) => places.get(input) ?? []);
    if (first === undefined) continue;
    if (others.some(({ key }) => key !== first.key)) return undefined;
    const place = moved(first, node);
    if (place === undefined) return undefined;
    places.set(node, place);
  }
  const known = outputs.flatMap((output) => places.get(output) ?? []), [common] = known;
  if (common === undefined || known.some(({ offset }) => offset !== common.offset)) {
    return undefined;
  }
  for (const output of outputs) {
    if (!places.has(output)) places.set(output, common.reshaped(output.shape));
  }
  return places;
}

/** The place of a node whose input is read at `index`, if that is all that is made of the input there. */
function moved(index: Index, { op, shape, attributes }: Tensor): Index | undefined {
  if (op === reshapeOp) return index.reshaped(shape);
  if (op === permuteOp) {
    return index.at(shape, attributes.dims.map((dim: number) => index.coordinates[dim]));
  }
  return op.kind === "pointwise" && op.elementwise ? index : undefined;
}

/** A product's epilogue as its kernel takes it, and as kernels of their own, for forms that do not ask for it. */
export interface LoweredEpilogue {
  readonly epilogue: Epilogue;
  /** Whether it was asked for. */
  readonly taken: boolean;
  /** What is to be done with results that lie in a slot. */
  after(results: Slot): readonly Dispatch[];
}

/** Writes the epilogue of a group with a product. */
export function lowerEpilogue(
  group: Group,
  options: { slots: Slots; context: KernelContext; quads: boolean },
): LoweredEpilogue {
  const product = group.product!, worked = group.outputs.filter((output) => output !== product);
  const { reads, slots } = withCopies(group, options.slots);
  const whole = { ...group, reads: new Map(reads) };
  reads.set(product, true);
  let taken = false;
  return {
    epilogue(operands, given) {
      taken = true;
      const { width } = given;
      const { bindings, body, stores, apart } = finish(whole, {
        ...options,
        slots,
        operands,
        ...given,
      });
      return {
        apart,
        code: instantiate(finishCode, {
          LIBRARY: librariesOf([body]),
          BINDINGS: bindings.declarations(),
          TYPE: width === QUAD ? "vec4f" : "f32",
          BODY: [...body.scope.lines, ...stores].join("\n  "),
        }),
        slots: bindings.slots,
        writes: group.outputs.map((output) => options.slots.get(output)!),
        label: ` + ${describe({ outputs: worked, reads })}`,
      };
    },
    get taken() {
      return taken;
    },
    after: (results) =>
      fusedDispatches({ kind: "pointwise", outputs: worked, reads }, {
        ...options,
        slots: new Map([...slots, [product, results]]),
      }),
  };
}

/** The statements of `finish`. */
function finish(
  group: Group,
  options: Given & { slots: Slots; quads: boolean; operands: readonly Operand[] },
): { bindings: Bindings; body: Body; stores: string[]; apart: boolean } {
  const { slots, quads, operands, width, pairs } = options, { outputs, reads } = group;
  const product = group.product!, worked = outputs.filter((output) => output !== product);
  // Threads that write parts of one vector must not write it whole.
  const together = quads && width === QUAD;
  const bindings = new Bindings(slots, { quads: together, operands });
  const body = new Body(reads, bindings);
  const at = body.scope.sum([["i", width]]);
  const known = new Map([...reads, [product, true]]);
  const all = Array.from({ length: width }, (_, lane) => {
    const index = pairs ? pairAt(body, product, lane) : body.index(product.shape, at, lane);
    return placesOf(index, { product, outputs: worked, reads: known });
  });
  const found = all.filter((places) => places !== undefined);
  // Of pairs, which begin with coordinates, one place can come out as two expressions.
  if (found.length < all.length) return { bindings, body, stores: [], apart: true };
  const lanes = found.map((places, lane) => {
    const { offset } = places.get(product)!;
    body.settle(places);
    body.keep(product, width === QUAD ? `value.${"xyzw"[lane]}` : "value", offset);
    return {
      offsets: outputs.map((output) => places.get(output)!.offset),
      values: outputs.map((output) => body.value(output, places.get(output)!)),
    };
  });
  const apart = outputs.some((_, k) =>
    !areNeighbours(body, lanes.map(({ offsets }) => offsets[k]))
  );
  if (together && apart) return finish(group, { ...options, quads: false });
  const stores = outputs.flatMap((output, k) =>
    storeNeighbours(body, output, {
      index: (lane) => ({ offset: lanes[lane].offsets[k] }),
      values: lanes.map(({ values }) => values[k]),
    })
  );
  return { bindings, body, stores, apart };
}

/** Where the four of quad `i` are that {@linkcode Given} calls pairs. */
function pairAt({ scope }: Body, { shape }: Tensor, lane: number): Index {
  const [batch, channels, height, width] = shape;
  const [b, c, y, x] =
    Index.linear(scope, [batch, channels / 2, height, width / 2], "i").coordinates;
  const channel = scope.sum([[c, 2], [`${lane % 2}u`, 1]]);
  return Index.at(scope, shape, [b, channel, y, scope.sum([[x, 2], [`${lane >> 1}u`, 1]])]);
}

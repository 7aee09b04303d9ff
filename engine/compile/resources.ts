// The memory that a placement asks for, and what of it each dispatch is bound to.

import { hasPlaces, hasTexels, MOST_INSTANCES, quadsOf } from "../kernels/access.ts";
import { type Dispatch, partsOf, type Slot } from "../kernels/dispatch.ts";
import { IMAGE_WIDTH, ImageSlot } from "../kernels/image.ts";
import { TEXEL_WIDTH, TexelSlot } from "../kernels/texels.ts";
import { type BindingKind, type TextureKind, UNIFORM } from "../runtime/device.ts";
import type { Placement } from "./memory.ts";

/** Memory that outlives a run. */
export class BufferSlot implements Slot {
  /** A buffer, and how many bytes of it are used. */
  constructor(readonly buffer: GPUBuffer, readonly bytes: number) {}
}

/** Makes memory that lives as long as a plan; `what` it is for. */
export interface Owner {
  buffer(bytes: number, what: string, usage?: GPUBufferUsageFlags): GPUBuffer;
  texture(kind: TextureKind, rows: number, what: string): GPUTexture;
  upload(buffer: GPUBuffer, data: Uint32Array<ArrayBuffer>): void;
  /** A bind group of resources by numbers of bindings, which are of `kinds`. */
  bind(
    resources: readonly (Resource | undefined)[],
    options: { label: string; kinds: readonly BindingKind[] },
  ): GPUBindGroup;
}

/** What a dispatch is bound to. */
export interface Bound {
  readonly bindings: GPUBindGroup;
  /** Where what tells its places begins in the buffer of all places, in bytes, if it is told any. */
  readonly place: number | undefined;
}

/** A stretch of a buffer. */
export interface Range extends GPUBufferBinding {
  readonly buffer: GPUBuffer;
  readonly size: number;
}

type Resource = Range | GPUTextureView;

/** Bytes of a vector of four, the largest thing that a kernel takes from memory at once. */
const LARGEST_ELEMENT = 16;

/** Uniform buffers are bound at multiples of this, in words. */
const ALIGNMENT = 64;

/** Words that tell the places of one instance of a part. */
const rowOf = ([slots]: readonly (readonly Slot[])[]): number =>
  hasPlaces(slots) ? 4 * quadsOf(slots) : 0;

/** Words that tell the places of a dispatch. */
const wordsOf = (dispatch: Dispatch): number =>
  partsOf(dispatch).reduce((sum, part) => sum + MOST_INSTANCES * rowOf(part), 0);

/** Memory as it was placed. */
export class Resources {
  readonly #owner: Owner;
  readonly #placement: Placement;
  readonly #buffers: readonly GPUBuffer[];
  readonly #images: readonly GPUTextureView[];
  readonly #texels: GPUTextureView | undefined;
  readonly #places: { readonly buffer: GPUBuffer; readonly stride: number } | undefined;
  readonly #dispatches: readonly Dispatch[];
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #numbers = new Map<object, number>();

  constructor(dispatches: readonly Dispatch[], placement: Placement, owner: Owner) {
    this.#owner = owner;
    this.#dispatches = dispatches;
    this.#placement = placement;
    const { buffers, images, texels } = placement;
    this.#buffers = buffers.lengths.map((bytes) => owner.buffer(bytes, "intermediate values"));
    this.#images = images.lengths.map((length) =>
      owner.texture("image", length / IMAGE_WIDTH, "operands").createView()
    );
    [this.#texels] = texels.lengths.map((length) =>
      owner.texture("texels", length / TEXEL_WIDTH, "intermediate values").createView()
    );
    if (!dispatches.some(({ slots }) => hasPlaces(slots))) return;
    const most = Math.max(...dispatches.map(wordsOf));
    const stride = Math.ceil(most / ALIGNMENT) * ALIGNMENT;
    const places = new Uint32Array(dispatches.length * stride);
    dispatches.forEach((dispatch, at) => {
      let from = at * stride;
      for (const part of partsOf(dispatch)) {
        part.forEach((slots, instance) => {
          const begins = slots.map((slot) => texels.of.get(slot) ?? images.of.get(slot));
          places.set(begins.map((begin) => begin?.offset ?? 0), from + instance * rowOf(part));
        });
        from += MOST_INSTANCES * rowOf(part);
      }
    });
    const buffer = owner.buffer(places.byteLength, "places", UNIFORM);
    owner.upload(buffer, places);
    this.#places = { buffer, stride };
  }

  /** The buffer range of what lies in one. */
  range(slot: Slot): Range {
    if (slot instanceof BufferSlot) return { buffer: slot.buffer, size: slot.bytes };
    const { arena, offset } = this.#placement.buffers.of.get(slot)!;
    return { buffer: this.#buffers[arena], offset, size: Math.max(4, slot.bytes) };
  }

  /** What the dispatch of a number is bound to, by numbers of bindings. */
  kinds(at: number): readonly BindingKind[] {
    return this.#bindings(at).map(([kind]) => kind);
  }

  /** Binds the dispatch of a number. Those that are bound to the same share a group, named by the first. */
  bind(at: number, label: string): Bound {
    const bindings = this.#bindings(at), { slots } = this.#dispatches[at];
    const key = bindings.map(([kind, resource]) => `${kind} ${this.#nameOf(resource)}`).join();
    let group = this.#groups.get(key);
    if (group === undefined) {
      const kinds = bindings.map(([kind]) => kind);
      group = this.#owner.bind(bindings.map(([, resource]) => resource), { label, kinds });
      this.#groups.set(key, group);
    }
    return { bindings: group, place: hasPlaces(slots) ? 4 * at * this.#places!.stride : undefined };
  }

  /** The slots of a dispatch, then what `declareShared` declares. */
  #bindings(at: number): [BindingKind, Resource | undefined][] {
    const dispatch = this.#dispatches[at], { slots, writes = [] } = dispatch;
    const bindings = slots.map((slot) => this.#bind(slot, writes));
    if (hasPlaces(slots)) {
      const size = 4 * wordsOf(dispatch);
      bindings.push(
        hasTexels(slots) ? ["texels", this.#texels] : ["none", undefined],
        [`uniform ${size}`, { buffer: this.#places!.buffer, size }],
      );
    }
    return bindings;
  }

  /** The same for what is the same memory. */
  #nameOf(resource: Resource | undefined): string {
    if (resource === undefined) return "";
    const [memory, offset, size] = "buffer" in resource
      ? [resource.buffer, resource.offset ?? 0, resource.size]
      : [resource, 0, 0];
    const number = this.#numbers.get(memory) ?? this.#numbers.size;
    this.#numbers.set(memory, number);
    return `${number}+${offset}/${size}`;
  }

  #bind(slot: Slot, writes: readonly Slot[]): [BindingKind, Resource | undefined] {
    if (slot instanceof TexelSlot) return ["none", undefined];
    if (!(slot instanceof ImageSlot)) {
      const range = this.range(slot);
      return [`memory ${Math.min(range.size, LARGEST_ELEMENT)}`, range];
    }
    const { arena } = this.#placement.images.of.get(slot)!;
    return [writes.includes(slot) ? "image write" : "image read", this.#images[arena]];
  }
}

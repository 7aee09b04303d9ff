// The memory that a placement asks for, and what of it each dispatch is bound to.

import { hasPlaces, hasTexels, MOST_INSTANCES, quadsOf } from "../kernels/access.ts";
import type { Dispatch, Slot } from "../kernels/dispatch.ts";
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
}

/** What a dispatch is bound to, by numbers of bindings. */
export interface Bound {
  readonly kinds: readonly BindingKind[];
  readonly resources: readonly (Resource | undefined)[];
}

type Resource = GPUBufferBinding | GPUTextureView;

/** Uniform buffers are bound at multiples of this, in words. */
const ALIGNMENT = 64;

/** Memory as it was placed. */
export class Resources {
  readonly #placement: Placement;
  readonly #buffers: readonly GPUBuffer[];
  readonly #images: readonly GPUTextureView[];
  readonly #texels: GPUTextureView | undefined;
  readonly #places: { readonly buffer: GPUBuffer; readonly stride: number } | undefined;
  readonly #dispatches: readonly Dispatch[];

  constructor(dispatches: readonly Dispatch[], placement: Placement, owner: Owner) {
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
    const most = 4 * MOST_INSTANCES * Math.max(...dispatches.map(({ slots }) => quadsOf(slots)));
    const stride = Math.ceil(most / ALIGNMENT) * ALIGNMENT;
    const places = new Uint32Array(dispatches.length * stride);
    dispatches.forEach(({ slots, instances = [] }, at) =>
      [slots, ...instances].forEach((own, instance) => {
        const begins = own.map((slot) => texels.of.get(slot) ?? images.of.get(slot));
        const from = at * stride + 4 * instance * quadsOf(slots);
        places.set(begins.map((begin) => begin?.offset ?? 0), from);
      })
    );
    const buffer = owner.buffer(places.byteLength, "places", UNIFORM);
    owner.upload(buffer, places);
    this.#places = { buffer, stride };
  }

  /** The buffer range of what lies in one. */
  range(slot: Slot): GPUBufferBinding & { readonly buffer: GPUBuffer } {
    if (slot instanceof BufferSlot) return { buffer: slot.buffer, size: slot.bytes };
    const { arena, offset } = this.#placement.buffers.of.get(slot)!;
    return { buffer: this.#buffers[arena], offset, size: Math.max(4, slot.bytes) };
  }

  /** What the dispatch of a number is bound to: its slots, then what `declareShared` declares. */
  of(at: number): Bound {
    const { slots, writes = [] } = this.#dispatches[at];
    const bound = slots.map((slot) => this.#bind(slot, writes));
    if (hasPlaces(slots)) {
      const { buffer, stride } = this.#places!;
      bound.push(
        hasTexels(slots) ? ["texels", this.#texels] : ["none", undefined],
        ["uniform", { buffer, offset: 4 * at * stride, size: 4 * stride }],
      );
    }
    return { kinds: bound.map(([kind]) => kind), resources: bound.map(([, resource]) => resource) };
  }

  #bind(slot: Slot, writes: readonly Slot[]): [BindingKind, Resource | undefined] {
    if (slot instanceof TexelSlot) return ["none", undefined];
    if (!(slot instanceof ImageSlot)) return ["memory", this.range(slot)];
    const { arena } = this.#placement.images.of.get(slot)!;
    return [writes.includes(slot) ? "image write" : "image read", this.#images[arena]];
  }
}

// The memory that a placement asks for, and what of it each dispatch is bound to.

import type { Dispatch, Slot } from "../kernels/dispatch.ts";
import { ImageSlot } from "../kernels/image.ts";
import { hasTexels, TexelSlot } from "../kernels/texels.ts";
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
  readonly resources: readonly (GPUBufferBinding | GPUTextureView | undefined)[];
}

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
    const { arenas, textures, texels, texelRows } = placement;
    this.#dispatches = dispatches;
    this.#placement = placement;
    this.#buffers = arenas.map((bytes) => owner.buffer(bytes, "intermediate values"));
    this.#images = textures.map((rows) => owner.texture("image", rows, "operands").createView());
    if (texelRows === 0) return;
    this.#texels = owner.texture("texels", texelRows, "intermediate values").createView();
    const most = Math.max(...dispatches.map(({ slots }) => slots.length));
    const stride = Math.ceil(most / ALIGNMENT) * ALIGNMENT;
    const places = new Uint32Array(dispatches.length * stride);
    dispatches.forEach(({ slots }, at) =>
      places.set(slots.map((slot) => texels.get(slot) ?? 0), at * stride)
    );
    const buffer = owner.buffer(places.byteLength, "places", UNIFORM);
    owner.upload(buffer, places);
    this.#places = { buffer, stride };
  }

  /** The buffer range of what lies in one. */
  range(slot: Slot): GPUBufferBinding & { readonly buffer: GPUBuffer } {
    if (slot instanceof BufferSlot) return { buffer: slot.buffer, size: slot.bytes };
    const { arena, offset } = this.#placement.ranges.get(slot)!;
    return { buffer: this.#buffers[arena], offset, size: Math.max(4, slot.bytes) };
  }

  /** What the dispatch of a number is bound to. */
  of(at: number): Bound {
    const { slots, writes = [] } = this.#dispatches[at];
    const kinds: BindingKind[] = [], resources: Bound["resources"][number][] = [];
    for (const slot of slots) {
      if (slot instanceof TexelSlot) {
        kinds.push("none");
        resources.push(undefined);
      } else if (slot instanceof ImageSlot) {
        kinds.push(writes.includes(slot) ? "image write" : "image read");
        resources.push(this.#images[this.#placement.images.get(slot)!]);
      } else {
        kinds.push("memory");
        resources.push(this.range(slot));
      }
    }
    if (hasTexels(slots)) {
      const { buffer, stride } = this.#places!;
      kinds.push("texels", "uniform");
      resources.push(this.#texels!, { buffer, offset: 4 * at * stride, size: 4 * stride });
    }
    return { kinds, resources };
  }
}

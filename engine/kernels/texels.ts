// Float32 numbers that kernels leave to each other, as texels of one storage texture: for CPU adapters, whose loads
// from textures are much cheaper than those from buffers.
//
// All of a plan's lie in the same texture, bound once to a kernel, however many of them it reads and writes;
// where each begins is told by a uniform buffer, so that kernels that differ in nothing else are one shader.

import type { Slot } from "./dispatch.ts";

/** Texels of a row. Every device has textures so wide. */
export const TEXEL_WIDTH = 8192;

/** A stretch of the texture. It has no binding of its own: shaders use what {@linkcode declareSlots} writes. */
export class TexelSlot implements Slot {
  /** A stretch of `bytes / 4` numbers. */
  constructor(readonly bytes: number) {}
}

/** Whether a kernel that is bound to these slots is bound to the texture. */
export function hasTexels(slots: readonly Slot[]): boolean {
  return slots.some((slot) => slot instanceof TexelSlot);
}

/**
 * WGSL of functions `load_NAME(at: u32) -> f32` and `store_NAME(at: u32, value: f32)` for slots of float32
 * numbers, be they buffers or texels, with the declarations that they need.
 *
 * @param slots all that the kernel is bound to, in order.
 * @param names of the slots in the same order; those without one are left to the shader.
 */
export function declareSlots(
  slots: readonly Slot[],
  names: readonly (string | undefined)[],
): string {
  const buffers = names.flatMap((name, at) =>
    name === undefined || slots[at] instanceof TexelSlot ? [] : [
      `@group(0) @binding(${at}) var<storage, read_write> ${name}: array<f32>;`,
      `fn load_${name}(at: u32) -> f32 { return ${name}[at]; }`,
      `fn store_${name}(at: u32, value: f32) { ${name}[at] = value; }`,
    ]
  );
  return [...buffers, ...declareTexels(slots, (at) => names[at])].join("\n");
}

/** The same for those of the slots that are texels. */
export function declareTexels(
  slots: readonly Slot[],
  nameOf: (at: number) => string | undefined,
): string[] {
  if (!hasTexels(slots)) return [];
  const functions = slots.flatMap((slot, at) => {
    const name = slot instanceof TexelSlot ? nameOf(at) : undefined;
    const place = `places[${at >> 2}].${"xyzw"[at & 3]} + at`;
    return name === undefined ? [] : [
      `fn load_${name}(at: u32) -> f32 { return load_texel(${place}); }`,
      `fn store_${name}(at: u32, value: f32) { store_texel(${place}, value); }`,
    ];
  });
  const { length } = slots, at = `vec2u(at % ${TEXEL_WIDTH}u, at / ${TEXEL_WIDTH}u)`;
  return [
    `@group(0) @binding(${length}) var texels: texture_storage_2d<r32float, read_write>;`,
    `@group(0) @binding(${length + 1}) var<uniform> places: array<vec4u, ${
      Math.ceil(length / 4)
    }>;`,
    `fn load_texel(at: u32) -> f32 { return textureLoad(texels, ${at}).x; }`,
    `fn store_texel(at: u32, value: f32) { textureStore(texels, ${at}, vec4f(value)); }`,
    ...functions,
  ];
}

// How kernels read and write what they are bound to: numbers in a storage buffer, or in the texture that all
// texels of a plan share, or texels of four in an image. Where in their textures texels and images begin is
// told by a uniform buffer, so that kernels that differ in nothing else are one shader, and can be one dispatch.

import type { Slot } from "./dispatch.ts";
import { IMAGE_WIDTH, ImageSlot } from "./image.ts";
import { TEXEL_WIDTH, TexelSlot } from "./texels.ts";

/** Whether a kernel that is bound to these slots is bound to the texture of the texels. */
export function hasTexels(slots: readonly Slot[]): boolean {
  return slots.some((slot) => slot instanceof TexelSlot);
}

/** Whether a kernel that is bound to these slots is told places in textures. */
export function hasPlaces(slots: readonly Slot[]): boolean {
  return slots.some((slot) => slot instanceof TexelSlot || slot instanceof ImageSlot);
}

/** How often a kernel can be in one dispatch, on other memory each time: it begins with the places of all. */
export const MOST_INSTANCES = 2;

/** The constant that a kernel counts its places from, for it may be one part of several: see `joint.ts`. */
export const FIRST_PLACE = "first_place";

/** The statement that a shader's `main` begins with: which instance of the kernel it is, by the grid's `z`. */
export function beginInstance(slots: readonly Slot[], z: string): string {
  return hasPlaces(slots) ? `begin_instance(${z});` : "";
}

/**
 * WGSL that declares what a kernel is bound to, with functions `load_NAME(at: u32)` and
 * `store_NAME(at: u32, value)` for each slot: of f32 for buffers and texels, of vec4f for images. Before it calls
 * any of them, `main` does what {@linkcode beginInstance} says.
 *
 * @param slots all that the kernel is bound to, in order.
 * @param options.names of the slots in the same order; those without one are left to the shader.
 * @param options.writes the images that are written; the others are read.
 */
export function declareSlots(
  slots: readonly Slot[],
  options: { names: readonly (string | undefined)[]; writes?: readonly Slot[] },
): string {
  return [declareNamed(slots, options), ...declareShared(slots)].join("\n");
}

/** The same without what slots have in common, where somebody else declares it. */
export function declareNamed(
  slots: readonly Slot[],
  { names, writes = [] }: {
    names: readonly (string | undefined)[];
    writes?: readonly Slot[];
  },
): string {
  return slots.flatMap((slot, at) => {
    const name = names[at];
    if (name === undefined) return [];
    return slot instanceof ImageSlot
      ? image(name, { at, written: writes.includes(slot) })
      : numbers(name, slot, { at });
  }).join("\n");
}

/** The same functions for a slot of texels or in a buffer. */
export function numbers(name: string, slot: Slot, { at }: { at: number }): string[] {
  return slot instanceof TexelSlot ? texels(name, at) : buffer(name, at);
}

/** The same functions for a slot of texels. */
export function texels(name: string, at: number): string[] {
  return [
    `fn load_${name}(at: u32) -> f32 { return load_texel(${placeOf(at)} + at); }`,
    `fn store_${name}(at: u32, value: f32) { store_texel(${placeOf(at)} + at, value); }`,
  ];
}

/** What slots of texels and images have in common. */
export function declareShared(slots: readonly Slot[]): string[] {
  const { length } = slots, quads = quadsOf(slots);
  const first = (place: number): string => `places[${FIRST_PLACE} + ${place}u]`;
  return [
    ...(hasTexels(slots)
      ? [
        `@group(0) @binding(${length}) var texels: texture_storage_2d<r32float, read_write>;`,
        `fn load_texel(i: u32) -> f32 { return textureLoad(texels, ${xy(TEXEL_WIDTH)}).x; }`,
        `fn store_texel(i: u32, value: f32) { textureStore(texels, ${
          xy(TEXEL_WIDTH)
        }, vec4f(value)); }`,
      ]
      : []),
    ...(hasPlaces(slots)
      ? [
        `@group(0) @binding(${length + 1}) var<uniform> places: array<vec4u, ${
          quads * MOST_INSTANCES
        }>;`,
        `const ${FIRST_PLACE} = 0u;`,
        ...Array.from({ length: quads }, (_, quad) => `var<private> begin${quad}: vec4u;`),
        // By numbers that are known: llvmpipe fetches others for each lane by itself.
        `fn begin_instance(z: u32) {`,
        ...Array.from({ length: quads }, (_, quad) => {
          const places = Array.from({ length: MOST_INSTANCES }, (_, instance) =>
            first(instance * quads + quad));
          return `  begin${quad} = ${
            places.reduce((chosen, place, z) => `select(${chosen}, ${place}, z == ${z}u)`)
          };`;
        }),
        `}`,
      ]
      : []),
  ];
}

/** Vectors of four that tell the places of one instance's slots. */
export function quadsOf(slots: readonly Slot[]): number {
  return Math.ceil(slots.length / 4);
}

function buffer(name: string, at: number): string[] {
  return [
    `@group(0) @binding(${at}) var<storage, read_write> ${name}: array<f32>;`,
    `fn load_${name}(at: u32) -> f32 { return ${name}[at]; }`,
    `fn store_${name}(at: u32, value: f32) { ${name}[at] = value; }`,
  ];
}

/** The same functions for an image, of which one is there. */
export function image(name: string, { at, written }: { at: number; written: boolean }): string[] {
  const access = written ? "write" : "read";
  const i = `let i = ${placeOf(at)} + at;`;
  return [
    `@group(0) @binding(${at}) var ${name}: texture_storage_2d<rgba32float, ${access}>;`,
    written
      ? `fn store_${name}(at: u32, value: vec4f) { ${i} textureStore(${name}, ${
        xy(IMAGE_WIDTH)
      }, value); }`
      : `fn load_${name}(at: u32) -> vec4f { ${i} return textureLoad(${name}, ${
        xy(IMAGE_WIDTH)
      }); }`,
  ];
}

/** Where the slot of a number begins in its texture. */
const placeOf = (at: number): string => `begin${at >> 2}.${"xyzw"[at & 3]}`;

/** The coordinates of texel `i`. */
const xy = (width: number): string => `vec2u(i % ${width}u, i / ${width}u)`;

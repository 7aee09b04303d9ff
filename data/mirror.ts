/**
 * Exchanges left and right of pictures of a side, `[..., size, size]`, in place. Returns them.
 *
 * ```ts
 * mirror(Uint8Array.of(1, 2, 3, 4), 2); // 2, 1, 4, 3
 * ```
 */
export function mirror<Pictures extends Uint8Array>(pictures: Pictures, size: number): Pictures {
  // Channels, planes and pictures are rows on rows.
  for (let at = 0; at < pictures.length; at += size) pictures.subarray(at, at + size).reverse();
  return pictures;
}

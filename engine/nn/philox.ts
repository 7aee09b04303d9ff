// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3).

/**
 * Ten rounds of Philox: four random words for each counter and key. The same key and counter always
 * give the same words; any two differ as if drawn at random.
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const a = c0, b = c2;
    c0 = upperProduct(0xcd9e8d57, b) ^ c1 ^ k0;
    c1 = Math.imul(0xcd9e8d57, b);
    c2 = upperProduct(0xd2511f53, a) ^ c3 ^ k1;
    c3 = Math.imul(0xd2511f53, a);
    k0 = k0 + 0x9e3779b9 | 0;
    k1 = k1 + 0xbb67ae85 | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** The upper half of the 64-bit product of two 32-bit words, from products of 16-bit halves. */
function upperProduct(a: number, b: number): number {
  const cross = (a >>> 16) * (b & 0xffff) + ((a & 0xffff) * (b & 0xffff) >>> 16);
  const other = (a & 0xffff) * (b >>> 16) + (cross & 0xffff);
  return (a >>> 16) * (b >>> 16) + (cross >>> 16) + (other >>> 16);
}

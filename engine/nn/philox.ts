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
    const a = multiply(0xd2511f53, c0), b = multiply(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(b.high ^ c1 ^ k0) >>> 0, b.low, (a.high ^ c3 ^ k1) >>> 0, a.low];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The 64-bit product of two 32-bit words, from products of at most 48 bits, which are exact. */
function multiply(a: number, b: number): { low: number; high: number } {
  const upper = (a >>> 16) * b, lower = (a & 0xffff) * b;
  const middle = upper + Math.floor(lower / 0x10000);
  return { low: Math.imul(a, b) >>> 0, high: Math.floor(middle / 0x10000) };
}

// What all metrics on sets of features ask of them.

/**
 * How many vectors a set of features has.
 *
 * @throws {RangeError} where there are fewer than `least`, the last is cut short, or a number is not finite.
 */
export function checkFeatures(
  features: ArrayLike<number>,
  { dimensions: n, least }: { dimensions: number; least: number },
): number {
  const count = features.length / n;
  if (!(Number.isInteger(n) && n > 0 && Number.isInteger(count) && count >= least)) {
    throw new RangeError(
      `Cannot compare ${features.length} numbers as features of ${n} dimensions: at least ${least} ` +
        `whole vectors are needed`,
    );
  }
  for (let i = 0; i < features.length; i++) {
    if (Number.isFinite(features[i])) continue;
    throw new RangeError(
      `Cannot compare features: dimension ${i % n} of vector ${Math.floor(i / n)} is ${
        features[i]
      }`,
    );
  }
  return count;
}

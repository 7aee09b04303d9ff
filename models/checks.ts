// Checks of widths. Messages name the setting, and say what would be right.

/** @throws {RangeError} where a number is not whole, or below 1. */
export function checkWhole(name: string, value: unknown, { least = 1 } = {}): void {
  if (Number.isInteger(value) && Number(value) >= least) return;
  throw new RangeError(`${name} must be a whole number of at least ${least}, not ${value}`);
}

/** @throws {RangeError} where a list is empty, or a number in it is not whole, or below 1. */
export function checkList(name: string, values: unknown, { least = 1, length = 0 } = {}): void {
  if (!Array.isArray(values) || values.length === 0) {
    throw new RangeError(`${name} must be a list of whole numbers, not ${values}`);
  }
  for (const value of values) checkWhole(`each of ${name}`, value, { least });
  if (length === 0 || values.length === length) return;
  throw new RangeError(
    `${name} must be ${length} numbers, one for each of the channels, not ${values.length}`,
  );
}

/** @throws {RangeError} where a number is below `low`, or not below `high`. */
export function checkBetween(
  name: string,
  value: unknown,
  { low = 0, high = Infinity } = {},
): void {
  if (typeof value === "number" && value >= low && value < high) return;
  const below = high === Infinity ? "" : ` and below ${high}`;
  throw new RangeError(`${name} must be at least ${low}${below}, not ${value}`);
}

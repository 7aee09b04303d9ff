// Where in a tensor a kernel reads: WGSL expressions of coordinates, kept as simple as they can be.

import { sameShape, type Shape, stridesOf } from "../dtype.ts";
import { type Scope, ZERO } from "./scope.ts";

/**
 * An element's position in a tensor of a shape, as a linear offset, as coordinates, or as both; the one that
 * is missing is derived when asked for.
 */
export class Index {
  readonly #scope: Scope;
  #linear?: string;
  #coordinates?: readonly string[];
  /** The index that this one is a reshape of. */
  #source?: Index;

  private constructor(
    scope: Scope,
    readonly shape: Shape,
    at: { linear?: string; coordinates?: readonly string[] },
  ) {
    this.#scope = scope;
    this.#linear = at.linear;
    this.#coordinates = at.coordinates?.map((c, axis) =>
      shape[axis] === 1 ? ZERO : scope.name(c, "at")
    );
  }

  /** The element at a linear offset. */
  static linear(scope: Scope, shape: Shape, offset: string): Index {
    return new Index(scope, shape, { linear: scope.name(offset, "at") });
  }

  /** The element at coordinates, whose linear offset is known to be theirs in any shape of as many. */
  static at(scope: Scope, shape: Shape, coordinates: readonly string[]): Index {
    const index = new Index(scope, shape, { coordinates });
    return new Index(scope, shape, { coordinates, linear: index.offset });
  }

  /** The position in a tensor of another shape, by that tensor's coordinates. */
  at(shape: Shape, coordinates: readonly string[]): Index {
    return new Index(this.#scope, shape, { coordinates });
  }

  /** The same linear offset in a tensor of as many elements; coordinates that stay are kept. */
  reshaped(shape: Shape): Index {
    const known = this.#known(shape);
    if (known !== undefined) return known;
    const reshaped = this.#reshaped(shape);
    reshaped.#source = this;
    return reshaped;
  }

  /** The index of this shape that this one is made of. */
  #known(shape: Shape): Index | undefined {
    if (sameShape(this.shape, shape)) return this;
    return this.#source === undefined ? undefined : this.#source.#known(shape);
  }

  #reshaped(shape: Shape): Index {
    if (this.#linear !== undefined && this.#coordinates === undefined) {
      return new Index(this.#scope, shape, { linear: this.#linear });
    }
    const from = this.coordinates;
    const to: string[] = [];
    for (const group of alignedGroups(this.shape, shape)) {
      const lengths = this.shape.slice(group.from[0], group.from[1]);
      const wanted = shape.slice(group.to[0], group.to[1]);
      const offset = this.#join(lengths, from.slice(group.from[0], group.from[1]));
      to.push(...this.#split(wanted, offset));
    }
    return new Index(this.#scope, shape, { coordinates: to, linear: this.#linear });
  }

  /** The linear offset, row-major. */
  get offset(): string {
    return this.#linear ??= this.#scope.name(this.#join(this.shape, this.coordinates), "at");
  }

  /** One expression an axis. */
  get coordinates(): readonly string[] {
    return this.#coordinates ??= this.#split(this.shape, this.offset);
  }

  /** Equal keys mean equal positions. */
  get key(): string {
    return this.#linear ?? this.#coordinates!.join(",");
  }

  #join(lengths: Shape, coordinates: readonly string[]): string {
    const strides = stridesOf(lengths);
    return this.#scope.sum(coordinates.map((c, axis) => [c, strides[axis]] as const));
  }

  #split(lengths: Shape, offset: string): string[] {
    const scope = this.#scope, strides = stridesOf(lengths);
    const first = lengths.findIndex((length) => length !== 1);
    return lengths.map((length, axis) => {
      if (length === 1 || offset === ZERO) return ZERO;
      const quotient = scope.quotient(offset, strides[axis]);
      return axis === first ? quotient : scope.rest(quotient, length);
    });
  }
}

/** Splits two shapes of equal size into the shortest runs of axes with equal products. */
export function alignedGroups(
  a: Shape,
  b: Shape,
): { from: [number, number]; to: [number, number] }[] {
  const groups: { from: [number, number]; to: [number, number] }[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    const startA = i, startB = j;
    let left = i < a.length ? a[i++] : 1, right = j < b.length ? b[j++] : 1;
    while (left !== right) {
      if (left < right) left *= a[i++];
      else right *= b[j++];
    }
    // Axes of length 1 at the end belong to the last group.
    if (i === a.length) { while (j < b.length && b[j] === 1) j++; }
    if (j === b.length) { while (i < a.length && a[i] === 1) i++; }
    groups.push({ from: [startA, i], to: [startB, j] });
  }
  return groups;
}

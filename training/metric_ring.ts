import { concat, full, read, reshape, slice, stack, type Tensor, Variable } from "../engine/mod.ts";

/** Metrics of one step by name. */
export type Metrics = Readonly<Record<string, number>>;

/**
 * The metrics of the last steps, kept on the GPU: a step only appends a row, and nothing waits until the
 * rows are read, many at once.
 */
export class MetricRing {
  readonly names: readonly string[];
  readonly #rows: Variable;

  /** Remembers `capacity` steps. */
  constructor(names: readonly string[], options: { capacity: number }) {
    this.names = names;
    const shape = [options.capacity, names.length];
    this.#rows = new Variable(new Float32Array(shape[0] * shape[1]), shape, { name: "metrics" });
  }

  /**
   * Appends a step's scalars, 0 for what the step has none of, and forgets the oldest step's. To be called while
   * tracing a step.
   */
  push(scalars: Readonly<Record<string, Tensor>>): void {
    const row = stack(this.names.map((name) => scalars[name] ?? full([], 0)));
    this.pushRow(reshape(row, [1, this.names.length]));
  }

  /** As {@linkcode MetricRing.push}, with the scalars in the order of their names, `[1, names]`. */
  pushRow(row: Tensor): void {
    const [capacity] = this.#rows.shape;
    const kept = capacity > 1 ? [slice(this.#rows.value, [[1, capacity], null])] : [];
    this.#rows.assign(concat([...kept, row], { dim: 0 }));
  }

  /** The last `count` steps, oldest first. Waits for the GPU. */
  async last(count: number): Promise<Metrics[]> {
    const [capacity, width] = this.#rows.shape;
    if (count > capacity) throw new RangeError(`Only ${capacity} steps are kept, not ${count}`);
    const [numbers] = await read([this.#rows]);
    return Array.from({ length: count }, (_, i) => {
      const row = (capacity - count + i) * width;
      return Object.fromEntries(this.names.map((name, k) => [name, numbers[row + k]]));
    });
  }

  /** Frees the GPU memory. */
  destroy(): void {
    this.#rows.destroy();
  }
}

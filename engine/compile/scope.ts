// Statements of a kernel's body, and what is known of the whole numbers in them: which are a known step
// beyond a multiple of another number. Four neighbours are told by that, wherever an expression leads.

/** A whole number `base + add`, where `base` is a multiple of `multiple` (of every number where that is 0). */
export interface Parts {
  readonly base: string;
  readonly multiple: number;
  readonly add: number;
}

/** The coordinate along an axis of length 1. */
export const ZERO = "0u";

/**
 * Collects `let` statements of a kernel's body; the same expression is named once. While a loop is open, what
 * does not depend on its counter is still named before it.
 */
export class Scope {
  /** Statements outside of the open loop. */
  readonly lines: string[] = [];
  readonly #names = new Map<string, string>();
  readonly #parts = new Map<string, Parts>();
  /** Names of the open loop, and the expressions that they stand for. */
  #loop: { readonly lines: string[]; readonly names: Map<string, string> } | undefined;
  #count = 0;

  /** The name that holds `expression`, or the expression itself where it is a name or a literal. */
  name(expression: string, prefix: string): string {
    if (/^\w+$/.test(expression)) return expression;
    let name = this.#names.get(expression);
    if (name === undefined) {
      name = `${prefix}${this.#count++}`;
      this.#names.set(expression, name);
      const inside = this.#loop && identifiers(expression).some((id) => this.#loop!.names.has(id));
      if (inside) this.#loop!.names.set(name, expression);
      (inside ? this.#loop!.lines : this.lines).push(`let ${name} = ${expression};`);
    }
    return name;
  }

  /** Opens a loop whose counter is a multiple of a number. */
  open(counter: string, multiple: number): void {
    this.#loop = { lines: [], names: new Map([[counter, counter]]) };
    this.#parts.set(counter, { base: counter, multiple, add: 0 });
  }

  /** Ends the loop: gives its statements, and the names that nobody can use any more. */
  close(): { lines: readonly string[]; names: ReadonlySet<string> } {
    const { lines, names } = this.#loop!;
    this.#loop = undefined;
    for (const expression of names.values()) this.#names.delete(expression);
    return { lines, names: new Set(names.keys()) };
  }

  /** What is known of an expression. */
  parts(text: string): Parts {
    const literal = text.match(/^(\d+)u$/);
    if (literal) return { base: ZERO, multiple: 0, add: Number(literal[1]) };
    return this.#parts.get(text) ?? { base: text, multiple: 1, add: 0 };
  }

  /** The name of a number of known parts. */
  of(parts: Parts): string {
    const { base, multiple, add } = parts;
    if (base === ZERO) return `${add}u`;
    const text = add === 0 ? base : this.name(`${base} + ${add}u`, "at");
    if (multiple !== 1 || add !== 0) this.#parts.set(text, parts);
    return text;
  }

  /** The sum of numbers times factors. */
  sum(terms: readonly (readonly [text: string, factor: number])[]): string {
    let multiple = 0, add = 0;
    const bases: string[] = [];
    for (const [text, factor] of terms) {
      const parts = this.parts(text);
      add += parts.add * factor;
      if (parts.base === ZERO) continue;
      multiple = gcd(multiple, parts.multiple * factor);
      bases.push(factor === 1 ? parts.base : `${parts.base} * ${factor}u`);
    }
    if (bases.length === 0) return `${add}u`;
    return this.of({ base: this.name(bases.join(" + "), "at"), multiple, add });
  }

  /** The whole quotient of a number and a constant. */
  quotient(text: string, by: number): string {
    const { base, multiple, add } = this.parts(text), shared = gcd(multiple, by);
    if (by === 1) return text;
    if (shared === by) {
      const whole = base === ZERO ? ZERO : this.name(`${base} / ${by}u`, "at");
      return this.of({ base: whole, multiple: multiple / by, add: Math.floor(add / by) });
    }
    return this.name(`${add < shared ? base : text} / ${by}u`, "at");
  }

  /** The rest of a number divided by a constant. */
  rest(text: string, by: number): string {
    const { base, multiple, add } = this.parts(text), shared = gcd(multiple, by);
    if (shared === by) return `${add % by}u`;
    if (add >= shared) return this.name(`${text} % ${by}u`, "at");
    return this.of({ base: this.name(`${base} % ${by}u`, "at"), multiple: shared, add });
  }
}

const identifiers = (expression: string): readonly string[] =>
  expression.match(/[a-z_]\w*/gi) ?? [];

/** The greatest common divisor; that of 0 and n is n. */
function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

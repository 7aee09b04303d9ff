// Whether what a plan keeps from run to run is still what the variables decide.

import type { Variable } from "../variable.ts";

/** The state of variables that a plan has computed from. */
export class KeptState {
  readonly #variables: readonly Variable[];
  #seen = NaN;

  constructor(variables: readonly Variable[]) {
    this.#variables = variables;
  }

  /** Whether what is kept is right: it was computed, and no variable was written since. */
  get isCurrent(): boolean {
    return this.#seen === this.#writes();
  }

  /** To be called when all has been computed from the variables as they are. */
  update(): void {
    this.#seen = this.#writes();
  }

  /** To be called when what is kept may be wrong. */
  forget(): void {
    this.#seen = NaN;
  }

  /** Each variable's count only grows, so that the sum stays the same where all of them do. */
  #writes(): number {
    let sum = 0;
    for (const variable of this.#variables) sum += variable.writes;
    return sum;
  }
}

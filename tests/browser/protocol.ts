// What the process that starts a browser and the page in it tell each other.

/** What the page is to run. */
export interface Program {
  readonly files: readonly TestFile[];
  /** Whether to hide from the engine that the adapter is a CPU, so that it takes its forms for GPUs. */
  readonly disguised: boolean;
  /** How many steps of each test to run; all where left out. */
  readonly steps?: number;
}

/** A file of tests, by its path from the repository's root. */
export interface TestFile {
  readonly path: string;
  /** The only tests to run; all where left out. */
  readonly only?: readonly string[];
}

/** One test has run. */
export interface TestOutcome {
  readonly kind: "test";
  readonly name: string;
  readonly ignored: boolean;
  readonly error?: string;
  /** What it wrote with `console.log`. */
  readonly printed: readonly string[];
}

/** All have run, or something could not be loaded. */
export interface EndOutcome {
  readonly kind: "end";
  readonly adapter: string;
  readonly error?: string;
  /** Errors and warnings of the browser's shader compiler. */
  readonly complaints: readonly string[];
  /** All different shaders that were compiled. */
  readonly shaders: readonly string[];
}

/** A step of a test begins: a sign of life, and where to look if it is the last one. */
export interface StepBegun {
  readonly kind: "step";
  readonly name: string;
}

export type Outcome = TestOutcome | EndOutcome | StepBegun;

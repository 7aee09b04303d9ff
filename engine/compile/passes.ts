/** The compiler's improvements. All are on; tests turn them off to compare what comes out. */
export interface Passes {
  /** Compute equal nodes once. */
  readonly merge: boolean;
  /** Do arithmetic with known numbers, and move what is constant out of sums. */
  readonly algebra: boolean;
  /** Compute values inside the kernels that read them, and several in one kernel. */
  readonly fuse: boolean;
  /** Join reductions with what leads to them, and with what needs their results. */
  readonly rows: boolean;
  /** Let products compute their operands where they load them. */
  readonly prologues: boolean;
  /** Let products work on their results before they store them. */
  readonly epilogues: boolean;
  /** Let a thread work on four neighbours, that are loaded and stored together. */
  readonly quads: boolean;
  /** Pack or transform operands once that several products read. */
  readonly copies: boolean;
  /** Compute what variables alone decide once, and keep it until one of them changes. */
  readonly constants: boolean;
  /** Run the same kernel on several memories in one dispatch, where it is told their places. */
  readonly instances: boolean;
  /** Run kernels of all kinds that do not need each other in one dispatch. */
  readonly join: boolean;
  /** Keep what kernels leave to each other in a texture, where loads from one are cheaper. */
  readonly textures: boolean;
  /** Let results take over the memory of the inputs that they replace. */
  readonly inPlace: boolean;
  /** Use memory again once its value is not needed any more. */
  readonly reuse: boolean;
}

/** Every improvement. */
export const allPasses: Passes = {
  merge: true,
  algebra: true,
  fuse: true,
  rows: true,
  prologues: true,
  epilogues: true,
  quads: true,
  copies: true,
  constants: true,
  instances: true,
  join: true,
  textures: true,
  inPlace: true,
  reuse: true,
};

/** None of them: every value is computed alone, and keeps its memory to the end. */
export const noPasses: Passes = {
  merge: false,
  algebra: false,
  fuse: false,
  rows: false,
  prologues: false,
  epilogues: false,
  quads: false,
  copies: false,
  constants: false,
  instances: false,
  join: false,
  textures: false,
  inPlace: false,
  reuse: false,
};

// What a data set is to the rest of the program.

/** A way in which pictures are labelled, such as hair: each picture is of one of its classes, or nobody says which. */
export interface LabelColumn {
  /** As the header of `labels.csv` names it. */
  readonly name: string;
  /** Sorted by name; a label is an index into these. */
  readonly classes: readonly string[];
}

/** A picture that was left out, or could not be found. */
export interface Problem {
  /** Its path from the data folder. */
  readonly file: string;
  /** The line of the table that lists it; the first one is line 1. */
  readonly row?: number;
  /** The name of that table, where it is not `labels.csv`. */
  readonly table?: string;
  /** Completes the sentence "FILE was left out: ...". */
  readonly reason: string;
}

/** Labelled square pictures in memory, in the order of their file names. */
export interface Dataset {
  /** How many pictures there are. */
  readonly count: number;
  /** The side of every picture in pixels. */
  readonly size: number;
  /** Ways in which they are labelled. */
  readonly columns: readonly LabelColumn[];
  /** `count * 3 * size * size` bytes: a red, a green and a blue plane for each picture (NCHW). */
  readonly images: Uint8Array;
  /** For each column, `count` indices into its classes; -1 where a picture has no label there. */
  readonly labels: readonly Int32Array[];
  /** Their paths from the data folder, where they come from one. */
  readonly files?: readonly string[];
  /** Pictures that were left out. */
  readonly problems: readonly Problem[];
  /** The same for the same pictures with the same labels in the same order, and for no others. */
  readonly fingerprint: string;
}

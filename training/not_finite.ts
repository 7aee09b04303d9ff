import { UserError } from "../data/mod.ts";

/** A number of a run is no longer finite. From there training cannot go on; from before it can. */
export class NotFiniteError extends UserError {}

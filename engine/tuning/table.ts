// What tuning remembers, as plain JSON: whoever calls it keeps it, in a file or elsewhere.

import { dispatchesOf, isolate, withVariant } from "../compile/sites.ts";
import type { KernelSite, Target } from "../compile/lower.ts";

/** What was measured of one kernel family on one shape. */
export interface TuningEntry {
  /** Changes with the text of any candidate's shader, so that what was measured of others is left. */
  readonly fingerprint: string;
  /** The fastest variant. */
  readonly choice: string;
  /** Seconds a run of each variant that was measured, the static guess first. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** What was measured on one adapter, by kernel family and shape as {@linkcode siteKey} joins them. */
export type TuningTable = Readonly<Record<string, TuningEntry>>;

/** What a site's measurements are kept under: `conv2d 32x64x16x16 -> 128x16x16 k3x3 s1x1 p1x1`. */
export function siteKey({ family, shape }: Pick<KernelSite, "family" | "shape">): string {
  return `${family} ${shape}`;
}

/** A digest of all that a site's candidates would run. */
export async function fingerprintOf(site: KernelSite, target: Target): Promise<string> {
  const { program } = isolate(site);
  const forms = site.candidates.map((candidate) => [
    candidate,
    dispatchesOf(program, withVariant(target, site, candidate))
      .map(({ code, workgroups }) => [code, workgroups]),
  ]);
  const bytes = new TextEncoder().encode(JSON.stringify(forms));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A table that was read from somewhere, after a look at whether it is one.
 *
 * @throws {TypeError} that says what is wrong with it.
 */
export function checkTable(value: unknown): TuningTable {
  if (!isRecord(value)) throw new TypeError("it is not a table of measurements");
  for (const [key, entry] of Object.entries(value)) {
    const whole = isRecord(entry) && typeof entry.fingerprint === "string" &&
      typeof entry.choice === "string" && isRecord(entry.seconds) &&
      Object.values(entry.seconds).every((time) => typeof time === "number" && time >= 0);
    if (!whole) throw new TypeError(`what it has for "${key}" is no measurement`);
  }
  return value as TuningTable;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

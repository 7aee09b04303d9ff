import type { Condition, PictureRequest, Share } from "../plugin/mod.ts";
import { sharesIn, withMix } from "./mixes.ts";

/**
 * The way through some pictures: `frames` from each to the next, both included, and with `loop` from the last
 * back to the first, which then is not shown again.
 *
 * Noise is interpolated spherically (Shoemake, 1985): noise of many dimensions lies near a sphere, and a straight
 * line would cut through its inside, where there are no pictures. What pictures are asked for goes over linearly.
 */
export function interpolate(
  stops: readonly PictureRequest[],
  options: { conditions: readonly Condition[]; frames: number; loop?: boolean },
): PictureRequest[] {
  const { conditions, frames, loop = false } = options;
  if (stops.length < 2 || frames < 2) {
    throw new RangeError(`A way needs two pictures and two frames: ${stops.length} and ${frames}`);
  }
  const ends = loop ? [...stops, stops[0]] : stops;
  const way = ends.slice(1).flatMap((to, leg) =>
    Array.from(
      { length: frames - 1 },
      (_, i) => between(ends[leg], to, { conditions, t: i / (frames - 1) }),
    )
  );
  return loop ? way : [...way, ends.at(-1)!];
}

/** The picture at `t`, from 0 to 1, of the way from one to another. */
function between(
  from: PictureRequest,
  to: PictureRequest,
  { conditions, t }: { conditions: readonly Condition[]; t: number },
): PictureRequest {
  if (t === 0) return from;
  const start: PictureRequest = { ...from, z: slerp(from.z, to.z, { t }) };
  return conditions.reduce((request, condition, k) => {
    const a = sharesIn(from, condition, k), b = sharesIn(to, condition, k);
    return withMix(request, condition, { conditions, shares: blend(a, b, t) });
  }, start);
}

/** What lies at `t` between two mixes; the same value in both is one share. */
function blend(a: readonly Share[], b: readonly Share[], t: number): Share[] {
  const merged = new Map<string, { value: readonly number[]; weight: number }>();
  for (const [shares, part] of [[a, 1 - t], [b, t]] as const) {
    for (const { value, weight } of shares) {
      const key = String(value), before = merged.get(key)?.weight ?? 0;
      merged.set(key, { value, weight: before + part * weight });
    }
  }
  return [...merged.values()];
}

function slerp(a: Float32Array, b: Float32Array, { t }: { t: number }): Float32Array {
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + value * y[i], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (angle < 1e-6) return a; // Both point the same way.
  const from = Math.sin((1 - t) * angle) / Math.sin(angle);
  const to = Math.sin(t * angle) / Math.sin(angle);
  return a.map((value, i) => from * value + to * b[i]);
}

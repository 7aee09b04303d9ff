import { exists } from "../training/mod.ts";

/** A figure of training, by step. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [step: number, value: number])[];
}

/** Points of a curve; more of them would be closer than pixels. */
const MOST_POINTS = 160;

/** Every figure in a run's `metrics.jsonl`, as means over stretches of steps. A run without has none. */
export async function readCurves(folder: string): Promise<Curve[]> {
  const path = `${folder}/metrics.jsonl`;
  if (!await exists(path)) return [];
  const points = new Map<string, [number, number][]>();
  for (const line of (await Deno.readTextFile(path)).split("\n")) {
    const { step, ...figures } = parsed(line);
    if (typeof step !== "number") continue;
    for (const [name, value] of Object.entries(figures)) {
      if (typeof value !== "number") continue;
      if (!points.has(name)) points.set(name, []);
      points.get(name)!.push([step, value]);
    }
  }
  return [...points].map(([name, all]) => ({ name, points: thinned(all) }));
}

/** A line's figures; a last line that was cut short has none. */
function parsed(line: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}

function thinned(points: readonly [number, number][]): [number, number][] {
  const width = Math.ceil(points.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(points.length / width) }, (_, i) => {
    const part = points.slice(i * width, (i + 1) * width);
    const mean = (k: 0 | 1): number => part.reduce((sum, point) => sum + point[k], 0) / part.length;
    return [Math.round(mean(0)), mean(1)];
  });
}

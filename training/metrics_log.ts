import type { Metrics } from "./metric_ring.ts";
import { asUserError, exists, replaceFile, writeAll } from "./files.ts";

/** One line of `metrics.jsonl`. */
export interface MetricsLine {
  /** The last step that the line covers. */
  readonly step: number;
  /** Means over the steps since the line before, by name; other figures under theirs. */
  readonly [name: string]: number;
}

/** `metrics.jsonl` of a run: one JSON object a line, in the order of the steps. */
export class MetricsLog {
  readonly #path: string;
  #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens a log to go on after `step`: lines of later steps, and a last line that was cut short, are
   * taken off, for those steps will be done again.
   */
  static async open(path: string, options: { step: number }): Promise<MetricsLog> {
    return new MetricsLog(path, await openAfter(path, options.step));
  }

  /** Takes lines of steps after `step` off: those steps will be done again. */
  async back(step: number): Promise<void> {
    const file = await openAfter(this.#path, step);
    this.#file.close();
    this.#file = file;
  }

  /** Writes a line. */
  async append(line: MetricsLine): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(line) + "\n");
    await asUserError(`Cannot write ${this.#path}`, () => writeAll(this.#file, bytes));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Opens a log for more lines, without those of steps after `step`. */
async function openAfter(path: string, step: number): Promise<Deno.FsFile> {
  return await asUserError(`Cannot write ${path}`, async () => {
    if (await exists(path)) {
      const lines = (await Deno.readTextFile(path)).split("\n");
      const kept = lines.filter((line) => (stepOf(line) ?? Infinity) <= step);
      await replaceFile(path, new TextEncoder().encode(kept.map((line) => line + "\n").join("")));
    }
    return await Deno.open(path, { create: true, append: true });
  });
}

function stepOf(line: string): number | undefined {
  try {
    return JSON.parse(line).step;
  } catch {
    return undefined;
  }
}

/** The mean of each metric over those of several steps that have it. */
export function averageMetrics(steps: readonly Metrics[]): Metrics {
  const names = new Set(steps.flatMap((metrics) => Object.keys(metrics)));
  return Object.fromEntries(
    [...names].map((name) => {
      const values = steps.flatMap((metrics) => metrics[name] ?? []);
      return [name, values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
}

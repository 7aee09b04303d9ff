import { checkTable, type TuningTable } from "../engine/mod.ts";

/** Bumped where the file is laid out otherwise; files of other formats are begun anew. */
const FORMAT = 1;

interface CacheFile {
  readonly format: typeof FORMAT;
  /** What was measured, by adapter. */
  readonly adapters: Readonly<Record<string, TuningTable>>;
}

/**
 * Measurements of kernels on disk, those of each adapter apart. A file that cannot be used is begun anew, one
 * that cannot be written is done without; either is said once, for what makes runs faster must not stop them.
 */
export class TuningCache {
  readonly #path: string | undefined;
  readonly #adapter: string;
  readonly #say: (message: string) => void;
  #broken: boolean;

  /**
   * @param path the file; without one nothing is kept.
   * @param options.adapter what `identify` says of the adapter.
   * @param options.onMessage told in a sentence what goes wrong.
   */
  constructor(
    path: string | undefined,
    options: { adapter: string; onMessage: (message: string) => void },
  ) {
    this.#path = path;
    this.#broken = path === undefined;
    this.#adapter = options.adapter;
    this.#say = options.onMessage;
  }

  /** What was measured on this adapter. */
  async read(): Promise<TuningTable> {
    return (await this.#load(this.#say)).adapters[this.#adapter] ?? {};
  }

  /** Replaces what was measured on this adapter; other processes see the old file or the new one. */
  async write(table: TuningTable): Promise<void> {
    if (this.#broken) return;
    const path = this.#path!, folder = path.replace(/[^/\\]*$/, "") || ".";
    // Other adapters' measurements may have been added since this process began.
    const { adapters } = await this.#load(() => {});
    const file: CacheFile = { format: FORMAT, adapters: { ...adapters, [this.#adapter]: table } };
    try {
      await Deno.mkdir(folder, { recursive: true });
      const unfinished = await Deno.makeTempFile({ dir: folder, prefix: "tuning-" });
      try {
        await Deno.writeTextFile(unfinished, JSON.stringify(file, null, 1));
        await Deno.rename(unfinished, path);
      } catch (error) {
        await Deno.remove(unfinished);
        throw error;
      }
    } catch (error) {
      this.#broken = true;
      this.#say(`Measurements of kernels are not kept: cannot write ${path} (${reason(error)})`);
    }
  }

  async #load(say: (message: string) => void): Promise<CacheFile> {
    const none = { format: FORMAT, adapters: {} } as const;
    if (this.#path === undefined) return none;
    try {
      return parse(await Deno.readTextFile(this.#path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return none;
      say(`Kernels are measured anew: ${this.#path} cannot be used (${reason(error)})`);
      return none;
    }
  }
}

function parse(text: string): CacheFile {
  const file = JSON.parse(text);
  if (file?.format !== FORMAT || typeof file.adapters !== "object" || file.adapters === null) {
    throw new Error("it is of another version of kao, or no tuning cache");
  }
  Object.values(file.adapters).forEach(checkTable);
  return file;
}

function reason(error: unknown): string {
  return String((error as Error).message).replace(/, run again.*/s, "").replaceAll(
    /\s*\n\s*/g,
    " ",
  );
}

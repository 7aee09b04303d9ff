// Trainings in processes of their own, small enough to be started and killed many times.

import { writeAvatars } from "../../data/mod.ts";
import { NEWEST } from "../../training/mod.ts";
import { UNFINISHED } from "../../training/files.ts";

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-run"];

/** Networks whose step takes milliseconds. */
const TINY = [
  ["--size", "8"],
  ["--latent", "6"],
  ["--generator-channels", "8,4"],
  ["--discriminator-channels", "4,8"],
  ["--batch", "4"],
  ["--seed", "5"],
].flat();

/** Drawn avatars to train on, in `folder/data`. */
export async function drawData(folder: string): Promise<string> {
  await writeAvatars(`${folder}/data`, { count: 60, size: 8, seed: 1 });
  return `${folder}/data`;
}

/** The arguments that train on `folder/data` into the run `out`, by default without tuning. */
export function trainArguments(
  folder: string,
  out: string,
  more: readonly string[] = [],
): string[] {
  const paths = [`${folder}/data`, "--out", out, "--cache", `${folder}/cache`];
  const tuning = more.includes("--tune") ? [] : ["--tune", "off"];
  return ["train", ...paths, "--columns", "hair,eyes", ...TINY, ...tuning, ...more];
}

/** A command line at work. */
export class Process {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<string>;
  readonly #stderr: Promise<string>;

  constructor(args: readonly string[]) {
    this.#child = new Deno.Command("deno", {
      args: ["run", "--no-prompt", ...PERMISSIONS, "cli.ts", ...args],
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new Response(this.#child.stdout).text();
    this.#stderr = new Response(this.#child.stderr).text();
  }

  /** Sends a signal. Returns whether the process was still there to hear it. */
  kill(signal: Deno.Signal): boolean {
    try {
      this.#child.kill(signal);
      return true;
    } catch {
      return false;
    }
  }

  /** How it ended, and what it said. */
  async end(): Promise<{ code: number; signal: string | null; stdout: string; stderr: string }> {
    const { code, signal } = await this.#child.status;
    return { code, signal, stdout: await this.#stdout, stderr: await this.#stderr };
  }

  /** Resolves when `condition` holds, or the process has ended. */
  async until(condition: () => boolean): Promise<void> {
    let ended = false;
    this.#child.status.then(() => ended = true);
    while (!ended && !condition()) await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Whether there is a file of this name now. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when a training process is writing a checkpoint into its run, or has ended. */
export async function untilSaving(process: Process, run: string): Promise<void> {
  const unfinished = `${run}/${NEWEST}${UNFINISHED}`;
  // What an earlier process left when it was killed would look the same.
  if (isThere(unfinished)) await Deno.remove(unfinished);
  await process.until(() => isThere(unfinished));
}

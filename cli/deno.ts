// Deno's own tools, called as programs of their own: before a plugin's code is loaded, which may not call any.

import { fileURLToPath } from "node:url";

/** The configuration by which kao itself is run: it says what `kao/plugin` and `kao/engine` are. */
export const CONFIG: string = fileURLToPath(new URL("../deno.json", import.meta.url));

/** What a tool came to. */
export interface ToolOutcome {
  readonly success: boolean;
  /** What it complained about, without colours. */
  readonly said: string;
}

/**
 * Runs `deno ARGS`. Returns undefined where this process may not run Deno, or there is none.
 */
export async function runDeno(
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<ToolOutcome | undefined> {
  try {
    const { success, stderr } = await new Deno.Command("deno", {
      args: [...args],
      ...options,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
    }).output();
    return { success, said: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    const absent = [Deno.errors.NotFound, Deno.errors.NotCapable];
    if (absent.some((kind) => error instanceof kind)) return undefined;
    throw error;
  }
}

/** Gives the permission to run Deno up, which could do anything: a plugin's code, loaded after this, has none. */
export async function giveUpDeno(): Promise<void> {
  await Deno.permissions.revoke({ name: "run", command: "deno" });
}

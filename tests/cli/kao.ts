/** What a run of the command line left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `deno task kao ARGS`, or another task, with the permissions that the task has. */
export async function kao(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  task = "kao",
): Promise<Outcome> {
  const command = new Deno.Command("deno", {
    args: ["task", "--quiet", task, ...args],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

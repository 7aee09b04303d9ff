import { UserError } from "../data/mod.ts";
import { Device } from "../engine/mod.ts";
import { prepareEnvironment } from "./environment.ts";
import type { Options } from "../plugin/mod.ts";
import { adviceOf, gatherFacts, installArguments, reasonOf } from "./vulkan.ts";

/** The options of every command that computes; spread them into its own. */
export const deviceOptions = {
  install: {
    type: "boolean",
    default: true,
    help: "Install nothing where no adapter is found",
  },
} as const satisfies Options;

/**
 * Opens the device and says which it is. On Debian and Ubuntu, where there is no adapter and this
 * process may install packages, Mesa's software adapter is installed first, unless `install` is
 * false. The permission to run programs is given up in any case.
 *
 * @throws {UserError} where there is no adapter, with the reason and what to do.
 */
export async function openDevice(options: { readonly install: boolean }): Promise<Device> {
  prepareEnvironment();
  if (!await probe()) await installAdapter(options.install);
  await Deno.permissions.revoke({ name: "run" });
  const device = await Device.open();
  const { name, cpu } = device.adapter;
  console.error(cpu ? `Adapter: ${name}. It is the CPU: expect it to be slow` : `Adapter: ${name}`);
  return device;
}

/** Whether WebGPU finds an adapter, asked in a worker so that a later answer can be another. */
function probe(): Promise<boolean> {
  const worker = new Worker(new URL("./probe_worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
}

async function installAdapter(allowed: boolean): Promise<void> {
  const facts = gatherFacts();
  const problem = `No WebGPU adapter: ${reasonOf(facts)}.`;
  const install = installArguments(facts);
  const aptGet = allowed && install ? await findRights() : undefined;
  if (!install || !aptGet) throw new UserError(`${problem} ${adviceOf(facts)}`);
  console.error(
    `${problem} Installing Mesa's software adapter (--no-install refuses): ` +
      [...aptGet, ...install].join(" "),
  );
  // A fresh machine has no package lists, and does not find the packages before it has them.
  const failure = await run([...aptGet, ...install]) &&
    (await run([...aptGet, "update"]) ?? await run([...aptGet, ...install]));
  if (failure !== undefined) {
    throw new UserError(`${problem} Installing Mesa's software adapter failed: ${failure}`);
  }
  if (!await probe()) {
    throw new UserError(
      `No WebGPU adapter, even after installing one: ${reasonOf(gatherFacts())}.`,
    );
  }
}

/** How this process may call apt-get: as root, by sudo without a password, or not at all. */
async function findRights(): Promise<readonly string[] | undefined> {
  if (Deno.uid() === 0) return ["apt-get"];
  return await run(["sudo", "--non-interactive", "true"]) === undefined
    ? ["sudo", "--non-interactive", "apt-get"]
    : undefined;
}

/** Runs a program in silence. Returns the last line that it complained with, `undefined` on success. */
async function run([program, ...args]: readonly string[]): Promise<string | undefined> {
  try {
    const command = new Deno.Command(program, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
    });
    const { success, stderr } = await command.output();
    if (success) return undefined;
    return new TextDecoder().decode(stderr).trim().split("\n").at(-1) || `${program} failed`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
      return `${program} cannot be run`;
    }
    throw error;
  }
}

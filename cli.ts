/**
 * The door of the command line: finds the command, and turns what goes wrong into one line.
 *
 * @module
 */

import { defineGroup } from "./cli/group.ts";
import { UserError } from "./data/mod.ts";

const kao = defineGroup({
  name: "kao",
  summary: "kao: train and sample label-conditioned image GANs in WebGPU",
  usage: ["kao --version"],
  commands: {
    quickstart: () => import("./cli/quickstart.ts"),
    train: () => import("./cli/train.ts"),
    config: () => import("./cli/config_command.ts"),
    sample: () => import("./cli/sample/mod.ts"),
    eval: () => import("./cli/eval.ts"),
    draw: () => import("./cli/draw.ts"),
    plugin: () => import("./cli/plugin/mod.ts"),
    models: () => import("./cli/models.ts"),
    tune: () => import("./cli/tune.ts"),
    doctor: () => import("./cli/doctor.ts"),
    adapter: () => import("./cli/adapter.ts"),
  },
});

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === "--version") {
    const project = await Deno.readTextFile(new URL("deno.json", import.meta.url));
    console.log(`kao ${JSON.parse(project).version}`);
  } else {
    await kao.run(args);
  }
}

/** One line for people; the stack for who asks for it. */
function report(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const line = message.replaceAll(/\s*\n\s*/g, " ");
  if (error instanceof UserError) {
    console.error(`kao: ${line}`);
  } else if (error instanceof Deno.errors.NotCapable) {
    const wanted = line.replace(/, run again.*/, "");
    console.error(`kao: ${wanted}, which this task does not have: "deno task kao" has`);
  } else if (error instanceof RangeError && line.startsWith("Cannot allocate")) {
    console.error(`kao: ${line}`); // The engine's, with what to do.
  } else if (error instanceof RangeError && /allocation failed|array length/.test(line)) {
    console.error(`kao: Out of memory (${line}): smaller pictures, batches or networks need less`);
  } else {
    const kind = error instanceof Error ? `${error.name}: ` : "";
    console.error(`kao: ${kind}${line} (unexpected; KAO_DEBUG=stack shows where)`);
  }
  if (error instanceof Error && Deno.env.get("KAO_DEBUG")?.split(",").includes("stack")) {
    console.error(error.stack);
  }
}

function end(error: unknown): never {
  report(error);
  Deno.exit(1);
}

if (import.meta.main) {
  // What fails outside of the command's own promise ends the process in the same way.
  addEventListener("error", (event) => end(event.error));
  addEventListener("unhandledrejection", (event) => end(event.reason));
  await main(Deno.args).catch(end);
}

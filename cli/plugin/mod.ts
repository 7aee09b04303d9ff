/**
 * `kao plugin`: what there is in plugins, and what their authors need.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { defineGroup } from "../group.ts";

/** `kao plugin COMMAND`. */
export const command: Command = defineGroup({
  name: "kao plugin",
  summary: "List, describe, write, check, bundle and measure plugins",
  commands: {
    list: () => import("./list.ts"),
    info: () => import("./info.ts"),
    new: () => import("./new.ts"),
    check: () => import("./check.ts"),
    build: () => import("./build.ts"),
    bench: () => import("./bench.ts"),
  },
});

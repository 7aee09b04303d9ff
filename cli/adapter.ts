import { defineCommand } from "./command.ts";
import { deviceOptions, openDevice } from "./device.ts";

/** `kao adapter`: makes sure that there is an adapter, before programs that only look for one. */
export const command = defineCommand({
  name: "adapter",
  summary: "Find a WebGPU adapter; install a software one where there is none",
  positionals: {},
  options: deviceOptions,
}, async ({ options }) => {
  const device = await openDevice(options);
  device.destroy();
});

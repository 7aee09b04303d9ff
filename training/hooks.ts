import type { PictureSource, Run } from "../plugin/mod.ts";
import type { Metrics } from "./metric_ring.ts";
import { writePluginFile } from "./plugin_files.ts";
import type { ActivePlugin } from "./plugin_setup.ts";
import type { Plugins } from "./plugins.ts";

/** What a run tells its plugins' hooks of. */
export interface HooksOptions {
  readonly folder: string;
  readonly pictures: PictureSource;
  readonly state: { readonly step: number; say(message: string): void };
}

/** Calls what plugins do between steps, one plugin after the other. */
export class Hooks {
  readonly #plugins: Plugins;
  readonly #options: HooksOptions;

  constructor(plugins: Plugins, options: HooksOptions) {
    this.#plugins = plugins;
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#plugins.forEach("hooks.start", (it) => it.parts.hooks?.start?.(this.#run(it)));
  }

  async end(): Promise<void> {
    await this.#plugins.forEach("hooks.end", (it) => it.parts.hooks?.end?.(this.#run(it)));
  }

  /** What plugins measure at a checkpoint, as `PLUGIN.NAME`. */
  async checkpoint(): Promise<Metrics> {
    const measured: Record<string, number> = {};
    await this.#plugins.forEach("hooks.checkpoint", async (plugin) => {
      const numbers = await plugin.parts.hooks?.checkpoint?.(this.#run(plugin)) ?? {};
      for (const [name, number] of Object.entries(numbers)) {
        if (typeof number !== "number") {
          throw new TypeError(`${name} must be a number, not ${number}`);
        }
        measured[`${plugin.name}.${name}`] = number;
      }
    });
    return measured;
  }

  #run(plugin: ActivePlugin): Run {
    const { folder, pictures, state } = this.#options;
    return {
      step: state.step,
      pictures,
      message: (text) => state.say(text),
      write: (name, bytes) => writePluginFile(folder, plugin, { name, bytes }),
    };
  }
}

import { UserError } from "../data/mod.ts";
import { type Shape, Tensor } from "../engine/mod.ts";

/** Whose code is called. */
export interface Origin {
  readonly name: string;
  /** Where the plugin came from; its name, if it is built in. */
  readonly source: string;
}

/** A plugin's mistake, told with its name. */
export class PluginError extends UserError {}

/** Calls a hook. What it throws, at once or later, becomes a {@linkcode PluginError} with plugin, hook and step. */
export function guarded<T>(
  { name, source }: Origin,
  at: { readonly hook: string; readonly step?: number },
  call: () => T,
): T {
  const fail = (error: unknown): never => {
    if (error instanceof PluginError) throw error;
    const from = source === name ? "" : ` (${source})`;
    const when = at.step === undefined ? "" : ` at step ${at.step}`;
    const message = error instanceof Error ? error.message : String(error);
    throw new PluginError(`Plugin ${name}${from} failed in ${at.hook}${when}: ${message}`, {
      cause: error,
    });
  };
  try {
    const result = call();
    return result instanceof Promise ? result.catch(fail) as T : result;
  } catch (error) {
    return fail(error);
  }
}

/**
 * Passes a tensor of the shape that is expected on.
 *
 * @throws {TypeError} where it is something else; the message has both shapes.
 */
export function requireTensor(value: unknown, shape: Shape): Tensor {
  const wanted = `a tensor [${shape.join(", ")}]`;
  if (!(value instanceof Tensor)) throw new TypeError(`It must return ${wanted}, not ${value}`);
  const fits = value.rank === shape.length && value.shape.every((n, axis) => n === shape[axis]);
  if (fits) return value;
  throw new TypeError(`It must return ${wanted}, not [${value.shape.join(", ")}]`);
}

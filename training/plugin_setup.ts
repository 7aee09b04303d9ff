import { type Dataset, UserError } from "../data/mod.ts";
import {
  Adam,
  compile,
  Generator,
  HostGenerator,
  Module,
  read,
  type Shape,
  sizeOf,
  type Tensor,
  tensor,
  Variable,
} from "../engine/mod.ts";
import { type Condition, optionValues, type Parts, type Plugin } from "../plugin/mod.ts";
import { checkedCondition, type Watch } from "./checked_condition.ts";
import { guarded, type Origin } from "./guard.ts";
import type { LearningRates } from "./learning_rate.ts";
import { fromBytes } from "./pictures.ts";
import { seedOfName } from "./seeds.ts";

/** A plugin that was asked for, and what it was asked for with. */
export interface ChosenPlugin {
  readonly plugin: Plugin;
  /** How it is found again: a built-in one's name, a path, or a specifier such as `npm:...`. */
  readonly source: string;
  /** Options that were given; the others have their defaults. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A plugin that takes part in a run. */
export interface ActivePlugin extends Origin {
  readonly version: string;
  readonly plugin: Plugin;
  /** The values of all its options. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly parts: Parts;
  readonly conditions: readonly Condition[];
  /** Moves the networks that it brings. */
  readonly optimizer: Adam | undefined;
  /** What it draws from inside a step, if it does. */
  readonly random: Generator | undefined;
  /** Everything that a checkpoint keeps of it, by name. */
  readonly state: Readonly<Record<string, Variable>>;
}

/** What plugins are set up for. */
export interface SetupOptions {
  readonly size: number;
  readonly batch: number;
  /** Shapes of what the discriminator's stages make of a picture. */
  readonly stages: readonly Shape[];
  readonly seed: number;
  /** Step lengths: those of the discriminator are theirs too. */
  readonly rates: LearningRates;
  readonly betas: readonly [number, number];
  /** The pictures that are trained on. */
  readonly data: Dataset;
  /** Label columns that other plugins read. */
  readonly claimed: readonly string[];
  readonly watch: Watch;
}

/** Has a plugin make its parts, and looks at them. */
export async function setUpPlugin(
  { plugin, source, options: given }: ChosenPlugin,
  about: SetupOptions,
): Promise<ActivePlugin> {
  const { name, version } = plugin, origin: Origin = { name, source };
  const { size, batch, stages, data, claimed, seed, rates, betas, watch } = about;
  const options = optionValues(plugin, given);
  let random: Generator | undefined;
  const parts = await guarded(origin, { hook: "setup" }, async () =>
    await plugin.setup(options, {
      size,
      batch,
      stages,
      features: sizeOf(stages.at(-1)!),
      data,
      claimed,
      weights: new HostGenerator(seedOfName(seed, `${name} weights`)),
      // Made when it is asked for: most plugins draw nothing, and need none in their checkpoints.
      get random() {
        return random ??= new Generator(seedOfName(seed, `${name} random`));
      },
      measure: (program) => measureAll(data, program),
    }));
  if (typeof parts !== "object" || parts === null) {
    throw new UserError(`Plugin ${name} failed in setup: it must return its parts, not ${parts}`);
  }
  guarded(origin, { hook: "setup" }, () => checkParts(parts));
  const conditions = (parts.conditions ?? []).map((condition) =>
    checkedCondition(origin, condition, watch)
  );
  const networks: Record<string, Module> = {
    ...parts.networks,
    ...parts.discriminators,
    ...Object.fromEntries(
      conditions.flatMap(({ name, networks = {} }) =>
        Object.entries(networks).map(([key, network]) => [`${name}.${key}`, network])
      ),
    ),
  };
  const parameters = eachUnder(networks, (network) => network.namedParameters());
  const optimizer = Object.keys(parameters).length > 0
    ? new Adam(parameters, { lr: rates.discriminator, betas })
    : undefined;
  return {
    ...origin,
    version,
    plugin,
    options,
    parts,
    conditions,
    optimizer,
    random,
    state: {
      ...parts.state,
      ...eachUnder(networks, (network) => network.stateDict()),
      ...(optimizer && eachUnder({ optim: optimizer }, (it) => it.state())),
      ...(random && { random: random.state }),
    },
  };
}

/** @throws {TypeError} where parts are not of the kinds that they must be of, or share a name. */
function checkParts({ networks = {}, discriminators = {}, state = {}, ...terms }: Parts): void {
  for (const [name, network] of Object.entries({ ...networks, ...discriminators })) {
    if (network instanceof Module) continue;
    throw new TypeError(`network "${name}" must be a Module, not ${network}`);
  }
  for (const [name, variable] of Object.entries(state)) {
    if (variable instanceof Variable) continue;
    throw new TypeError(`state "${name}" must be a Variable, not ${variable}`);
  }
  const names = [networks, discriminators, state].flatMap(Object.keys).concat("optim", "random");
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new TypeError(`"${twice}" names two parts of the checkpoint`);
  for (const kind of ["discriminatorTerms", "generatorTerms"] as const) {
    for (const [name, term] of Object.entries(terms[kind] ?? {})) {
      if (typeof term?.value === "function" && /^[a-z][\w.]*$/i.test(name)) continue;
      throw new TypeError(`${kind} must be { value(step) } by name, and "${name}" is not`);
    }
    for (const [name, { every = 1 }] of Object.entries(terms[kind] ?? {})) {
      if (Number.isInteger(every) && every >= 1) continue;
      throw new TypeError(`${kind}.${name} has every ${every}: a whole number of steps is needed`);
    }
  }
}

function eachUnder<T, V>(
  owners: Readonly<Record<string, T>>,
  named: (owner: T) => Readonly<Record<string, V>>,
): Record<string, V> {
  return Object.fromEntries(
    Object.entries(owners).flatMap(([prefix, owner]) =>
      Object.entries(named(owner)).map(([name, value]) => [`${prefix}.${name}`, value])
    ),
  );
}

/** Pictures that are measured at once. */
const MEASURED = 64;

/** A number for each picture. */
async function measureAll(
  { images, count, size }: Dataset,
  program: (images: Tensor) => Tensor,
): Promise<Float32Array> {
  const numbers = new Float32Array(count), bytes = 3 * size * size;
  const chunk = Math.min(MEASURED, count);
  const measure = compile((pictures: Tensor) => program(fromBytes(pictures)), { name: "measure" });
  for (let start = 0; start < count; start += chunk) {
    // The last chunk reaches back, so that one plan serves all.
    const from = Math.min(start, count - chunk);
    const pictures = images.slice(from * bytes, (from + chunk) * bytes);
    const [measured] = await read([measure(tensor(pictures, [chunk, 3, size, size]))]);
    if (measured.length !== chunk) {
      throw new RangeError(`measure needs a number a picture: ${measured.length} for ${chunk}`);
    }
    numbers.set(measured as Float32Array, from);
  }
  return numbers;
}

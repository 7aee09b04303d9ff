// Several WGSL modules as one, whose workgroups are the first one's, then the second one's, and so on. What modules
// declare gets another name in each, unless it says the same: then it is declared once. So a library's functions
// are there once, and memory of a workgroup that two of them want alike is the same memory, for a workgroup is
// one's alone. Which one is told by the workgroup's number, the same for all of its threads, so that they may wait
// for each other. Where modules are told places in textures, one uniform tells those of all, in the same order.
//
// Where a module's threads have nothing to do with each other, its workgroups may be cut up or put together.

import { FIRST_PLACE } from "../kernels/access.ts";
import type { BoundVariable, Module, Piece } from "./module.ts";

/** A module and what it works on. */
export interface ModulePart {
  readonly module: Module;
  /** The numbers that its bindings get, in order. */
  readonly bindings: readonly number[];
  readonly workgroups: readonly [number, number, number];
}

/** What can be computed of a part's own number and thread, or has to be handed on. */
const HANDED_ON: Readonly<Record<string, string>> = {
  num_subgroups: "u32",
  subgroup_id: "u32",
  subgroup_invocation_id: "u32",
  subgroup_size: "u32",
};

/** Whether a part can run in workgroups of so many threads. */
export function runsIn({ together, workgroup, main }: Module, threads: number): boolean {
  const known = main.parameters.every(({ builtin }) => builtin in HANDED_ON || builtin in OWN);
  const whole = Math.max(workgroup, threads) % Math.min(workgroup, threads) === 0;
  return known && (together ? workgroup === threads : whole);
}

/** How many workgroups of so many threads a part takes. */
export function workgroupsIn({ module, workgroups }: ModulePart, threads: number): number {
  return Math.ceil(count(workgroups) * module.workgroup / threads);
}

/**
 * WGSL of one module for all parts.
 *
 * @param options.threads of a workgroup, in which each part {@linkcode runsIn}.
 * @param options.width of the grid's rows, by which workgroups are counted.
 * @throws {Error} where the same binding is of different types.
 */
export function joinModules(
  parts: readonly ModulePart[],
  options: { threads: number; width: number },
): string {
  const { threads, width } = options;
  const directives = new Set(parts.flatMap(({ module }) => module.directives));
  const names = new Map<string, string>(), texts: string[] = [];
  const bound = boundTogether(parts);
  let from = 0, firstPlace = 0;
  const choices = parts.map((part, at) => {
    const declared = declare(part, { prefix: `p${at}_`, names, texts, bound, firstPlace });
    firstPlace += placesOf(part.module);
    const { parameters, body } = part.module.main;
    const list = parameters.map(({ name, type }) => {
      const isName = part.module.declarations.has(name);
      return `${declared([{ text: name, isName }])}: ${type}`;
    }).join(", ");
    texts.push(`fn p${at}_main(${list}) ${declared(body)}`);
    const begin = from;
    from += workgroupsIn(part, threads);
    return `if (number < ${from}u) {\n${call(part, { at, begin, threads })}\n  }`;
  });
  const used = new Set(
    parts.flatMap(({ module }) => module.main.parameters.map(({ builtin }) => builtin)),
  );
  const handedOn = Object.keys(HANDED_ON).filter((builtin) => used.has(builtin));
  return [
    ...directives,
    ...texts,
    `@compute @workgroup_size(${threads})`,
    "fn main(",
    "  @builtin(workgroup_id) workgroup: vec3u,",
    "  @builtin(local_invocation_index) thread: u32,",
    ...handedOn.map((builtin) => `  @builtin(${builtin}) ${builtin}: ${HANDED_ON[builtin]},`),
    ") {",
    `  let number = workgroup.x + workgroup.y * ${width}u;`,
    `  ${choices.join(" else ")}`,
    "}",
    "",
  ].join("\n");
}

/** What all parts are bound to, by its numbers. @throws {Error} where one number would be of two types. */
function boundTogether(parts: readonly ModulePart[]): Map<number, BoundVariable> {
  const bound = new Map<number, BoundVariable>();
  const places = parts.reduce((sum, { module }) => sum + placesOf(module), 0);
  for (const { module, bindings } of parts) {
    for (const [number, { space, type: own }] of module.bound) {
      const at = bindings[number], type = space === "uniform" ? `array<vec4u, ${places}>` : own;
      const other = bound.get(at)?.type ?? type;
      if (other !== type) throw new Error(`Binding ${at} would be ${other}, and ${type} as well`);
      bound.set(at, { space, type });
    }
  }
  return bound;
}

/** How many vectors tell a module places in textures: they are all that it takes from a uniform. */
function placesOf({ bound }: Module): number {
  const uniform = [...bound.values()].find(({ space }) => space === "uniform");
  return Number(uniform?.type.match(/^array<vec4u,(\d+)>$/)?.[1] ?? 0);
}

/** What a part's entry point is told, of its workgroup's number `at` and its thread `lane`. */
const OWN: Readonly<Record<string, (part: ModulePart) => string>> = {
  workgroup_id: ({ workgroups }) => place(workgroups),
  num_workgroups: ({ workgroups }) => `vec3u(${workgroups.map((side) => `${side}u`).join(", ")})`,
  local_invocation_index: () => "lane",
  local_invocation_id: () => "vec3u(lane, 0u, 0u)",
  global_invocation_id: ({ module, workgroups }) =>
    `${place(workgroups)} * vec3u(${module.workgroup}u, 1u, 1u) + vec3u(lane, 0u, 0u)`,
};

/** Where in its own grid a workgroup is. */
function place([x, y, z]: readonly [number, number, number]): string {
  if (y === 1 && z === 1) return "vec3u(at, 0u, 0u)";
  return `vec3u(at % ${x}u, at / ${x}u % ${y}u, at / ${x * y}u)`;
}

/** The statements that run a part whose first workgroup is number `begin`. */
function call(
  part: ModulePart,
  { at, begin, threads }: { at: number; begin: number; threads: number },
): string {
  const { module, workgroups } = part, own = module.workgroup;
  const number = begin === 0 ? "number" : `(number - ${begin}u)`;
  const cut = own / threads, joined = threads / own;
  const [group, lane] = own === threads
    ? [number, "thread"]
    : own > threads
    ? [`${number} / ${cut}u`, `${number} % ${cut}u * ${threads}u + thread`]
    : [`${number} * ${joined}u + thread / ${own}u`, `thread % ${own}u`];
  const told = module.main.parameters.map(({ builtin }) => OWN[builtin]?.(part) ?? builtin);
  const run = `p${at}_main(${told.join(", ")});`;
  const rest = own < threads && count(workgroups) % joined !== 0;
  return [
    `    let at = ${group};`,
    `    let lane = ${lane};`,
    rest ? `    if (at < ${count(workgroups)}u) { ${run} }` : `    ${run}`,
  ].join("\n");
}

/**
 * Declares what a part does, unless another has declared the same.
 *
 * @param options.names by text and, where a part says the same several times, by which of them it is.
 * @param options.firstPlace which of all places is the part's first.
 * @returns what writes a text with the names that are chosen.
 */
function declare(
  { module, bindings }: ModulePart,
  options: {
    prefix: string;
    names: Map<string, string>;
    texts: string[];
    bound: ReadonlyMap<number, BoundVariable>;
    firstPlace: number;
  },
): (pieces: readonly Piece[]) => string {
  const { prefix, names, texts, bound, firstPlace } = options;
  const own = new Map<string, string>(), times = new Map<string, number>();
  const written = (pieces: readonly Piece[], self?: string): string =>
    pieces.map(({ text, isName }) => !isName ? text : text === self ? SELF : nameOf(text)).join("");
  const nameOf = (name: string): string => {
    const known = own.get(name);
    if (known !== undefined) return known;
    const { pieces, binding } = module.declarations.get(name)!;
    const text = name === FIRST_PLACE
      ? `const ${SELF} = ${firstPlace}u;`
      : binding === undefined
      ? written(pieces, name)
      : bindingOf(bindings[binding], bound);
    // What is bound to one number is one variable, whatever it is called.
    const time = binding === undefined ? times.get(text) ?? 0 : 0, key = `${time} ${text}`;
    times.set(text, time + 1);
    const chosen = names.get(key) ?? prefix + name;
    if (!names.has(key)) texts.push(text.replaceAll(SELF, chosen));
    names.set(key, chosen);
    own.set(name, chosen);
    return chosen;
  };
  [...module.declarations.keys()].forEach(nameOf);
  return written;
}

/** Declares what is bound to a number. */
function bindingOf(number: number, bound: ReadonlyMap<number, BoundVariable>): string {
  const { space, type } = bound.get(number)!;
  return `@group(0) @binding(${number}) var${space && `<${space}>`} ${SELF}: ${type};`;
}

/** Stands for the name of what is declared. */
const SELF = "$";

const count = ([x, y, z]: readonly [number, number, number]): number => x * y * z;

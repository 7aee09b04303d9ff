// A WGSL module taken apart into what it declares at module scope, so that several can become one: see
// join_modules.ts. It takes the words of the text for what they are, and leaves types and grammar to the driver.

/** What a module declares at module scope. */
export interface Declaration {
  readonly name: string;
  /** Its text in words and what is between them, without comments. */
  readonly words: readonly Word[];
  /** The number of the binding, of what is bound. */
  readonly binding?: number;
}

/** A word of WGSL: a name, a number, a sign, or blanks. */
interface Word {
  readonly text: string;
  /** What it names at module scope, if it does. */
  readonly names?: string;
}

/** A parameter of an entry point. */
export interface Parameter {
  readonly builtin: string;
  readonly name: string;
  readonly type: string;
}

/** A module with an entry point `main`. */
export interface Module {
  /** Directives such as `enable f16;`. */
  readonly directives: readonly string[];
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** The entry point: its parameters, and its body with the braces. */
  readonly main: { readonly parameters: readonly Parameter[]; readonly body: Declaration };
  /** Threads of a workgroup, which has one side. */
  readonly workgroup: number;
  /** Whether a workgroup's threads have to do with each other: share memory, wait, or are told their subgroup. */
  readonly together: boolean;
  /** The types of what is bound, by its numbers. */
  readonly bound: ReadonlyMap<number, string>;
  /** The types of memory that a workgroup's threads share. */
  readonly shared: readonly string[];
}

const WORD =
  /\/\/[^\n]*|\/\*[^]*?\*\/|\s+|[A-Za-z_]\w*|0[xX][\da-fA-F]+[iu]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fhiu]?|[^]/g;
const DIRECTIVES = ["enable", "requires", "diagnostic"];
const OPEN = "([{", CLOSE = ")]}";

/** @throws {Error} where the text has no entry point `main` with a workgroup of one side. */
export function readModule(code: string): Module {
  const texts = (code.match(WORD) ?? []).filter((text) => !/^\/[/*]/.test(text));
  const directives: string[] = [], found: { name: string; texts: string[] }[] = [];
  for (const statement of statements(texts)) {
    const { keyword, name } = headOf(statement);
    if (DIRECTIVES.includes(keyword)) directives.push(statement.join("").trim());
    else if (name !== undefined) found.push({ name, texts: statement });
  }
  const names = new Set(found.map(({ name }) => name));
  const all = found.map(({ name, texts }): Declaration => {
    const [, binding] = texts.join("").match(/@binding\s*\(\s*(\d+)/) ?? [];
    const words = wordsOf(texts, names);
    return { name, words, ...(binding !== undefined && { binding: Number(binding) }) };
  });
  const declarations = new Map(all.map((each) => [each.name, each]));
  const main = declarations.get("main"), text = main === undefined ? "" : textOf(main);
  const [, workgroup] = text.match(/@workgroup_size\s*\(\s*(\d+)\s*\)/) ?? [];
  if (main === undefined || workgroup === undefined) {
    throw new Error("A shader needs an entry point `main` with a workgroup of one side");
  }
  declarations.delete("main");
  const rest = [...declarations.values()].map(textOf).join("\n");
  return {
    directives,
    declarations,
    main: entryOf(main),
    workgroup: Number(workgroup),
    together: /\bvar<workgroup>|\bworkgroupBarrier\b|\bsubgroup/.test(rest + text),
    bound: new Map(
      all.flatMap((each) =>
        each.binding === undefined ? [] : [[each.binding, typeOf(each)] as const]
      ),
    ),
    shared: all.filter((each) => /^var\s*<\s*workgroup\s*>/.test(textOf(each))).map(typeOf),
  };
}

/** A declaration as it was written. */
export const textOf = ({ words }: Declaration): string => words.map(({ text }) => text).join("");

/** The type of a variable, the same for types that are the same. */
function typeOf(variable: Declaration): string {
  const type = textOf(variable).match(/:([^;]*);/)?.[1] ?? "";
  return type.replaceAll(/\s/g, "").replaceAll(/vec([234])<([fiu])32>/g, "vec$1$2");
}

/** Bytes of a type of memory; infinitely many where it is none that kernels here use. */
export function bytesOfType(type: string): number {
  const array = type.match(/^array<(.*),(\d+)u?>$/);
  if (array !== null) return bytesOfType(array[1]) * Number(array[2]);
  return BYTES[type] ?? Infinity;
}

const BYTES: Readonly<Record<string, number>> = {
  ...{ f32: 4, i32: 4, u32: 4, vec2f: 8, vec4f: 16, vec4h: 8, vec4i: 16, vec4u: 16 },
};

/** Words up to the `;` or `}` that ends what they declare. */
function* statements(texts: readonly string[]): Generator<string[]> {
  let depth = 0, statement: string[] = [];
  for (const text of texts) {
    if (statement.length === 0 && /^(\s+|;)$/.test(text)) continue;
    statement.push(text);
    if (OPEN.includes(text)) depth++;
    if (CLOSE.includes(text)) depth--;
    if (depth > 0 || (text !== ";" && text !== "}")) continue;
    yield statement;
    statement = [];
  }
}

/** The keyword and the name of what is declared. */
function headOf(statement: readonly string[]): { keyword: string; name: string | undefined } {
  const text = statement.join("").replaceAll(/@\s*\w+\s*(\([^)]*\))?/g, "");
  const [, keyword, name] = text.match(/^\s*(\w+)\s*(?:<[^>]*>)?\s*(\w+)?/)!;
  return { keyword, name };
}

/** Says of each word whether it names something at module scope; members and attributes do not. */
function wordsOf(texts: readonly string[], names: ReadonlySet<string>): Word[] {
  const isStruct = texts[0] === "struct";
  const solid = [...texts.keys()].filter((at) => texts[at].trim() !== "");
  const words: Word[] = texts.map((text) => ({ text }));
  let depth = 0;
  solid.forEach((at, k) => {
    const text = texts[at];
    const [before, earlier] = [1, 2].map((back) => texts[solid[k - back]]);
    const after = texts[solid[k + 1]];
    if (OPEN.includes(text)) depth++;
    if (CLOSE.includes(text)) depth--;
    const member = before === "." || (isStruct && depth === 1 && after === ":");
    const attribute = before === "@" || (before === "(" && earlier === "builtin");
    if (names.has(text) && !member && !attribute) words[at] = { text, names: text };
  });
  return words;
}

function entryOf({ name, words }: Declaration): Module["main"] {
  const text = words.map(({ text }) => text);
  const from = text.indexOf("{"), parameters = text.slice(text.indexOf("main"), from).join("");
  const each = /@builtin\s*\(\s*(\w+)\s*\)\s*(\w+)\s*:\s*([^,)]+)/g;
  return {
    parameters: [...parameters.matchAll(each)].map(([, builtin, name, type]) => ({
      ...{ builtin, name, type: type.trim() },
    })),
    body: { name, words: words.slice(from) },
  };
}

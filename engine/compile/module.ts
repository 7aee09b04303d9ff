// A WGSL module taken apart into what it declares at module scope, so that several can become one: see
// join_modules.ts. It takes the words of the text for what they are, and leaves types and grammar to the driver.

/** What a module declares at module scope. */
export interface Declaration {
  /** Its text, in pieces of which some name what is declared at module scope. */
  readonly pieces: readonly Piece[];
  /** The number of the binding, of what is bound. */
  readonly binding?: number;
}

/** A stretch of a text, or a name of what is declared at module scope. */
export interface Piece {
  readonly text: string;
  readonly isName: boolean;
}

/** What is bound: its address space and access, and its type. */
export interface BoundVariable {
  readonly space: string;
  readonly type: string;
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
  readonly main: { readonly parameters: readonly Parameter[]; readonly body: readonly Piece[] };
  /** Threads of a workgroup, which has one side. */
  readonly workgroup: number;
  /** Whether a workgroup's threads have to do with each other: share memory, wait, or are told their subgroup. */
  readonly together: boolean;
  /** What is bound, by its numbers. */
  readonly bound: ReadonlyMap<number, BoundVariable>;
  /** The types of memory that a workgroup's threads share. */
  readonly shared: readonly string[];
  /** Words of its text, blanks and comments aside. */
  readonly length: number;
  /** Whether there are loops in it. */
  readonly loops: boolean;
}

const WORD =
  /\/\/[^\n]*|\/\*[^]*?\*\/|\s+|[A-Za-z_]\w*|0[xX][\da-fA-F]+[iu]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fhiu]?|[^]/g;
const DIRECTIVES = ["enable", "requires", "diagnostic"];
const DECLARATIONS = ["fn", "var", "const", "override", "struct", "alias"];
const OPEN = "([{", CLOSE = ")]}";

/** @throws {Error} where the text is none, or has no entry point `main` with a workgroup of one side. */
export function readModule(code: string): Module {
  const words = (code.match(WORD) ?? []).filter((word) => !/^\/[/*]/.test(word));
  const directives: string[] = [], found = new Map<string, readonly string[]>();
  for (const statement of statements(words)) {
    const { keyword, name } = headOf(statement);
    if (DIRECTIVES.includes(keyword)) directives.push(statement.join("").trim());
    else if (DECLARATIONS.includes(keyword)) found.set(name, statement);
    else throw new Error(`Cannot read the shader's "${statement.join("").slice(0, 60)}"`);
  }
  const main = found.get("main")?.join("") ?? "";
  const [, workgroup] = main.match(/@workgroup_size\s*\(\s*(\d+)\s*\)/) ?? [];
  if (workgroup === undefined) {
    throw new Error("A shader needs an entry point `main` with a workgroup of one side");
  }
  const declarations = new Map<string, Declaration>(), bound = new Map<number, BoundVariable>();
  const shared: string[] = [];
  for (const [name, statement] of found) {
    const text = statement[0] === "fn" ? "" : statement.join("");
    const [, number] = text.match(/@binding\s*\(\s*(\d+)/) ?? [];
    const binding = number === undefined ? undefined : Number(number);
    if (binding !== undefined) bound.set(binding, { space: spaceOf(text), type: typeOf(text) });
    if (/^var\s*<\s*workgroup\s*>/.test(text)) shared.push(typeOf(text));
    declarations.set(name, { pieces: piecesOf(statement, found), binding });
  }
  declarations.delete("main");
  const entry = found.get("main")!, begin = entry.indexOf("{");
  const header = entry.slice(entry.indexOf("main"), begin).join("");
  const together = words.some((word) => word.endsWith("Barrier") || word.startsWith("subgroup"));
  return {
    ...{ directives, declarations, bound, shared },
    main: { parameters: parametersOf(header), body: piecesOf(entry.slice(begin), found) },
    workgroup: Number(workgroup),
    together: shared.length > 0 || together,
    length: words.filter((word) => !/^\s/.test(word)).length,
    loops: words.some((word) => ["for", "while", "loop"].includes(word)),
  };
}

/** The address space and access of a variable. */
const spaceOf = (variable: string): string => variable.match(/\bvar\s*<([^>]*)>/)?.[1] ?? "";

/** The type of a variable, the same for types that are the same. */
function typeOf(variable: string): string {
  const [, type = ""] = variable.match(/:([^;]*);/) ?? [];
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
function headOf(statement: readonly string[]): { keyword: string; name: string } {
  const head = statement.slice(0, statement.findIndex((word) => ["{", "=", ";"].includes(word)));
  const text = head.join("").replaceAll(/@\s*\w+\s*(\([^)]*\))?/g, "");
  const [, keyword = "", name = ""] = text.match(/^\s*(\w+)\s*(?:<[^>]*>)?\s*(\w*)/) ?? [];
  return { keyword, name };
}

/** Words in pieces, by what they name at module scope; members and attributes name nothing there. */
function piecesOf(words: readonly string[], declared: ReadonlyMap<string, unknown>): Piece[] {
  const isStruct = words[0] === "struct", pieces: Piece[] = [];
  let depth = 0, from = 0, before = "", earlier = "";
  words.forEach((word, at) => {
    if (/^\s/.test(word)) return;
    if (OPEN.includes(word)) depth++;
    if (CLOSE.includes(word)) depth--;
    const named = declared.has(word) && before !== "." && before !== "@" && earlier !== "builtin";
    if (named && !(isStruct && depth === 1 && isFollowed(words, at, ":"))) {
      pieces.push({ text: words.slice(from, at).join(""), isName: false });
      pieces.push({ text: word, isName: true });
      from = at + 1;
    }
    [earlier, before] = [before, word];
  });
  return [...pieces, { text: words.slice(from).join(""), isName: false }];
}

/** Whether a word is the next one but for blanks. */
function isFollowed(words: readonly string[], at: number, by: string): boolean {
  const next = words[at + 1];
  return (next.trim() === "" ? words[at + 2] : next) === by;
}

const parametersOf = (header: string): Parameter[] =>
  [...header.matchAll(/@builtin\s*\(\s*(\w+)\s*\)\s*(\w+)\s*:\s*([^,)]+)/g)]
    .map(([, builtin, name, type]) => ({ builtin, name, type: type.trim() }));

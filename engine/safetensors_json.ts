// The JSON of safetensors headers, which may come from anybody: parsed with limits, and without the freedoms
// that let two readers see different things in the same text.

/** `{name: {shape: [...]}}`: deeper text would only take up memory. */
const MAX_DEPTH = 3;
/** What messages quote of a name. */
const MAX_QUOTE = 60;

/** @throws {Error} with one line that says what is wrong with a file. */
export function refuse(reason: string): never {
  throw new Error(`Cannot read safetensors: ${reason}`);
}

/** A name for messages. */
export function quote(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTE ? `${name.slice(0, MAX_QUOTE)}...` : name);
}

/**
 * The JSON object that bytes of UTF-8 hold.
 *
 * @throws {Error} where they hold something else, are nested deeper than a header is, or name a key twice.
 */
export function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    refuse("the header is not JSON in UTF-8");
  }
  if (!text.startsWith("{")) refuse("the header is not a JSON object");
  checkDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("the header is not JSON in UTF-8");
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) refuse(`the header has ${quote(twice)} twice`);
  return value as Record<string, unknown>;
}

/** Whether a JSON value is an object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The index after the string that begins at a quotation mark of text that may not be JSON. */
function afterString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Before parsing: a few bytes of brackets a level would become hundreds in memory. */
function checkDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') at = afterString(text, at) - 1;
    else if (letter === "{" || letter === "[") depth++;
    else if (letter === "}" || letter === "]") depth--;
    if (depth > MAX_DEPTH) refuse(`the header is nested more than ${MAX_DEPTH} levels deep`);
  }
}

/**
 * The first key that an object of valid JSON text has twice. `JSON.parse` keeps the last and says
 * nothing, so two readers of one file could see different tensors under the same name.
 */
function duplicateKey(text: string): string | undefined {
  const seen: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "{") seen.push(new Set());
    else if (text[at] === "}") seen.pop();
    else if (text[at] === '"') {
      const start = at, end = afterString(text, at);
      at = end - 1;
      let next = end;
      while (" \t\r\n".includes(text[next])) next++;
      if (text[next] !== ":") continue;
      const key: string = JSON.parse(text.slice(start, end));
      const keys = seen[seen.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

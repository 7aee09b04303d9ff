// Shaders are files of WGSL with three small additions, expanded here:
//
//   $NAME, $i          a parameter in capitals, so that `$COUNTu` is a literal, or a loop's counter
//   ${EXPR}            the value of an expression, for names such as c${i * N + j}
//   //: for i in A..B  repeats the lines up to its `//: end` with $i = A, A+1, ..., B-1
//   //: if EXPR        keeps the lines up to `//: else` or `//: end` where EXPR is not zero
//
// A, B and EXPR are integer expressions of parameters and + - * / % ( ) < > == != && || (without $).
// Loops are expanded on the host because shaders get a counter and a bounds check in every loop they
// keep, and arrays indexed by a counter live in memory instead of registers.

/** What `$NAME` and the directives of a shader stand for. */
export type TemplateValues = Readonly<Record<string, number | string>>;

interface Block {
  readonly lines: string[];
  /** The index after the block's closing directive. */
  readonly next: number;
  readonly alternative?: string[];
}

/**
 * Expands a shader's directives and parameters into plain WGSL.
 *
 * @throws {Error} where a directive is malformed or a parameter has no value.
 *
 * @example
 * ```ts
 * import { instantiate } from "./template.ts";
 * const code = instantiate("//: for i in 0..N\nlet x$i = $i.0;\n//: end", { N: 2 });
 * // let x0 = 0.0;
 * // let x1 = 1.0;
 * ```
 */
export function instantiate(code: string, values: TemplateValues): string {
  return expand(code.split("\n"), values).join("\n");
}

function expand(lines: readonly string[], values: TemplateValues): string[] {
  const out: string[] = [];
  for (let at = 0; at < lines.length;) {
    const directive = lines[at].match(/^\s*\/\/:\s*(\w+)\s*(.*)$/);
    if (!directive) {
      out.push(substitute(lines[at++], values));
      continue;
    }
    const [, word, rest] = directive;
    const block = collect(lines, at);
    if (word === "for") {
      const loop = rest.match(/^(\w+)\s+in\s+(.+)\.\.(.+)$/);
      if (!loop) throw new Error(`Cannot read the shader directive "${lines[at].trim()}"`);
      const [, counter, from, to] = loop;
      for (let i = evaluate(from, values); i < evaluate(to, values); i++) {
        out.push(...expand(block.lines, { ...values, [counter]: i }));
      }
    } else if (word === "if") {
      const kept = evaluate(rest, values) !== 0 ? block.lines : block.alternative ?? [];
      out.push(...expand(kept, values));
    } else {
      throw new Error(`Unknown shader directive "${lines[at].trim()}"`);
    }
    at = block.next;
  }
  return out;
}

/** The lines between a directive at `start` and its `end`, split at its `else`. */
function collect(lines: readonly string[], start: number): Block {
  let depth = 0, otherwise = -1;
  for (let at = start; at < lines.length; at++) {
    const word = lines[at].match(/^\s*\/\/:\s*(\w+)/)?.[1];
    if (word === "for" || word === "if") depth++;
    if (word === "else" && depth === 1) otherwise = at;
    if (word === "end" && --depth === 0) {
      return otherwise < 0 ? { lines: lines.slice(start + 1, at), next: at + 1 } : {
        lines: lines.slice(start + 1, otherwise),
        alternative: lines.slice(otherwise + 1, at),
        next: at + 1,
      };
    }
  }
  throw new Error(`The shader directive "${lines[start].trim()}" has no end`);
}

function substitute(line: string, values: TemplateValues): string {
  return line.replace(/\$\{([^}]+)\}|\$([A-Z][A-Z0-9_]*|[a-z]\w*)/g, (_, expression, name) => {
    if (expression) return String(evaluate(expression, values));
    if (!(name in values)) {
      throw new Error(`No value for $${name} in the shader line "${line.trim()}"`);
    }
    return String(values[name]);
  });
}

/** Integer arithmetic of directives: recursive descent over C's precedence. */
function evaluate(text: string, values: TemplateValues): number {
  const tokens = text.match(/\w+|&&|\|\||==|!=|<=|>=|[-+*/%()<>!]/g) ?? [];
  let at = 0;
  const levels: Record<string, (a: number, b: number) => number>[] = [
    { "||": (a, b) => Number(a !== 0 || b !== 0) },
    { "&&": (a, b) => Number(a !== 0 && b !== 0) },
    {
      "==": (a, b) => Number(a === b),
      "!=": (a, b) => Number(a !== b),
      "<": (a, b) => Number(a < b),
      ">": (a, b) => Number(a > b),
      "<=": (a, b) => Number(a <= b),
      ">=": (a, b) => Number(a >= b),
    },
    { "+": (a, b) => a + b, "-": (a, b) => a - b },
    { "*": (a, b) => a * b, "/": (a, b) => Math.trunc(a / b), "%": (a, b) => a % b },
  ];
  function binary(level: number): number {
    if (level === levels.length) return atom();
    let left = binary(level + 1);
    while (tokens[at] in levels[level]) left = levels[level][tokens[at++]](left, binary(level + 1));
    return left;
  }
  function atom(): number {
    const token = tokens[at++];
    if (token === "(") {
      const inner = binary(0);
      at++;
      return inner;
    }
    if (token === "-") return -atom();
    if (token === "!") return Number(atom() === 0);
    const value = /^\d/.test(token ?? "") ? Number(token) : Number(values[token]);
    if (Number.isNaN(value)) {
      throw new Error(`Cannot evaluate "${text}" in a shader directive: no number for "${token}"`);
    }
    return value;
  }
  return binary(0);
}

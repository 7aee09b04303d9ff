// Runs in the page: test files as they are, bundled, with a stand-in for the two parts of Deno that they
// use, `Deno.test` and `Deno.readFile`. The engine finds nothing else of Deno here.

import type { Outcome, Program, TestFile } from "./protocol.ts";

type Run = (t: Steps) => void | Promise<void>;

interface Test {
  readonly name: string;
  readonly fn: Run;
  readonly ignore?: boolean;
}

interface Steps {
  step(name: string, fn: () => void | Promise<void>): Promise<boolean>;
}

let registered: Test[] = [];
let printed: string[] = [];
let adapter = "";
const complaints: string[] = [];
const shaders = new Set<string>();

const standIn = {
  test(test: string | Test, fn?: Run): void {
    registered.push(typeof test === "string" ? { name: test, fn: fn! } : test);
  },
  async readFile(url: URL): Promise<Uint8Array> {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return response.bytes();
  },
};

function messageOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** Steps run in order, at most so many; the first that fails names itself and ends the test. */
function stepsUpTo(most = Infinity): Steps {
  return {
    async step(name, fn) {
      if (most-- <= 0) return true;
      await post({ kind: "step", name });
      try {
        await fn();
      } catch (error) {
        throw new Error(`${name}: ${messageOf(error)}`);
      }
      return true;
    },
  };
}

/** Keeps every shader, and what the browser's compiler has to say about it. */
function watchShaders(): void {
  const create = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (descriptor): GPUShaderModule {
    const module = create.call(this, descriptor);
    if (shaders.has(descriptor.code)) return module;
    shaders.add(descriptor.code);
    module.getCompilationInfo().then(({ messages }) => {
      for (const { type, message, lineNum } of messages) {
        const line = descriptor.code.split("\n")[lineNum - 1]?.trim();
        complaints.push(`${descriptor.label}: ${type}: ${message}, in the line "${line}"`);
      }
    });
    return module;
  };
}

async function post(outcome: Outcome): Promise<void> {
  await fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) });
}

async function run({ name, fn, ignore = false }: Test, steps: Steps): Promise<void> {
  printed = [];
  let error: string | undefined;
  try {
    if (!ignore) await fn(steps);
  } catch (thrown) {
    error = messageOf(thrown);
  }
  await post({ kind: "test", name, ignored: ignore, error, printed });
}

/** The tests of a file, in order. */
async function load({ path, only }: TestFile): Promise<Test[]> {
  registered = [];
  await import(`/${path.replace(/\.ts$/, ".js")}`);
  return only?.map((wanted) => {
    const test = registered.find(({ name }) => name === wanted);
    if (test === undefined) throw new Error(`${path} has no test "${wanted}"`);
    return test;
  }) ?? registered;
}

async function main(): Promise<void> {
  const program: Program = await (await fetch("/program")).json();
  const info = (await navigator.gpu.requestAdapter())?.info;
  adapter = info ? `${info.vendor} ${info.architecture}` : "no adapter";
  if (program.disguised) {
    const unknown = { vendor: "", architecture: "", device: "", description: "" };
    Object.defineProperty(GPUAdapter.prototype, "info", { get: () => unknown });
  }
  watchShaders();
  Object.assign(globalThis, { Deno: standIn });
  console.log = (...values) => printed.push(values.join(" "));
  for (const file of program.files) {
    for (const test of await load(file)) await run(test, stepsUpTo(program.steps));
  }
}

let error: string | undefined;
await main().catch((thrown) => error = messageOf(thrown));
await post({ kind: "end", adapter, error, complaints, shaders: [...shaders] });

// Headless Chromium, with WebGPU on SwiftShader: an adapter that is a CPU, under Dawn instead of wgpu.

import type { EndOutcome, Outcome, Program, TestOutcome } from "./protocol.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
];

const ROOT = new URL("../../", import.meta.url);
const PAGE = "tests/browser/page";
const HTML = `<!doctype html><link rel="icon" href="data:,">
<script type="module" src="/${PAGE}.js"></script>`;

/** Seconds after which a page that has nothing to say is taken for hung. */
const PATIENCE = 180;

/** What a run is to do besides. */
export interface RunOptions {
  /** Called with each test's outcome as it comes; the page waits for it. */
  readonly onTest: (outcome: TestOutcome) => Promise<unknown>;
  /** Changes files that tests read, on their way into the page. */
  readonly transform?: (path: string, bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
}

/** Chromium's version; nothing where there is no Chromium, or no permission to run it. */
export async function findChromium(): Promise<string | undefined> {
  try {
    const command = new Deno.Command("chromium", { args: ["--version"], stderr: "null" });
    return new TextDecoder().decode((await command.output()).stdout).trim();
  } catch (error) {
    const absent = [Deno.errors.NotFound, Deno.errors.NotCapable];
    if (absent.some((kind) => error instanceof kind)) return undefined;
    throw error;
  }
}

/**
 * Runs test files in a page, one after another. All must lie in folders of `tests/`.
 *
 * @throws {Error} where a file cannot be loaded, or the browser ends or hangs.
 */
export async function runInBrowser(program: Program, options: RunOptions): Promise<EndOutcome> {
  const folder = await Deno.makeTempDir({ prefix: "kao-browser-" });
  try {
    await bundle(program.files.map(({ path }) => path), folder);
    return await visit(program, { ...options, folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One JavaScript file for each test file and for the page, at the same paths. */
async function bundle(files: readonly string[], folder: string): Promise<void> {
  // The bundler leaves out what all paths have in common.
  const args = ["bundle", "--quiet", "--platform=browser", "--outdir", `${folder}/tests`];
  const command = new Deno.Command("deno", { args: [...args, `${PAGE}.ts`, ...files], cwd: ROOT });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`Cannot bundle the tests: ${new TextDecoder().decode(stderr)}`);
}

type Files = Pick<RunOptions, "transform"> & { readonly folder: string };

/** Opens the page, and waits until it has run all. */
async function visit(program: Program, options: RunOptions & Files): Promise<EndOutcome> {
  const end = Promise.withResolvers<EndOutcome>();
  let last = "it was opened";
  const hung = (): void =>
    end.reject(new Error(`The page said nothing for ${PATIENCE} seconds after ${last}`));
  let alarm = setTimeout(hung, PATIENCE * 1000);
  const receive = async (outcome: Outcome): Promise<void> => {
    clearTimeout(alarm);
    if (outcome.kind === "end") return end.resolve(outcome);
    alarm = setTimeout(hung, PATIENCE * 1000);
    last = outcome.name;
    if (outcome.kind === "test") await options.onTest(outcome);
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/program") return Response.json(program);
    if (pathname !== "/outcome") return serve(pathname, options);
    await receive(await request.json());
    return new Response();
  });
  const browser = new Deno.Command("chromium", {
    args: [
      ...FLAGS,
      `--user-data-dir=${options.folder}/profile`,
      `http://127.0.0.1:${server.addr.port}/`,
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(browser.stderr).text();
  try {
    const ended = browser.status.then(async ({ code }): Promise<never> => {
      throw new Error(`Chromium ended with ${code}: ${await said}`);
    });
    return await Promise.race([end.promise, ended]);
  } finally {
    clearTimeout(alarm);
    browser.kill();
    await Promise.all([browser.status, said]);
    await server.shutdown();
  }
}

async function serve(path: string, { folder, transform }: Files): Promise<Response> {
  if (path === "/") return new Response(HTML, { headers: { "content-type": "text/html" } });
  try {
    if (path.endsWith(".js")) {
      const code = await Deno.readFile(folder + path);
      return new Response(code, { headers: { "content-type": "text/javascript" } });
    }
    const bytes = await Deno.readFile(new URL(`.${path}`, ROOT));
    return new Response(transform?.(path, bytes) ?? bytes);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Response(null, { status: 404 });
    throw error;
  }
}

// A registry with one package in it: as much of one as Deno asks for.

/** A registry that listens until it is disposed of. */
export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** How often the package itself was fetched. */
  readonly fetched: () => number;
}

/** Serves a package of the given files; `package.json` is written for it. */
export async function serveRegistry(
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<Registry> {
  const version = "1.0.0";
  const manifest = { name, version, type: "module", exports: "./mod.js" };
  const tarball = await gzip(tar({ "package.json": JSON.stringify(manifest), ...files }));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", tarball));
  const integrity = `sha512-${btoa(String.fromCharCode(...digest))}`;
  let fetched = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname, origin } = new URL(request.url);
    if (pathname.endsWith(".tgz")) {
      fetched++;
      return new Response(tarball);
    }
    if (decodeURIComponent(pathname) !== `/${name}`) return new Response("", { status: 404 });
    const dist = { tarball: `${origin}/package.tgz`, integrity };
    return Response.json({
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist } },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    fetched: () => fetched,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A tape archive (POSIX.1-1988 ustar) of small files, in the folder that packages have in theirs. */
function tar(files: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const blocks = Object.entries(files).flatMap(([path, text]) => {
    const content = encoder.encode(text);
    const header = new Uint8Array(512);
    const put = (at: number, value: string) => header.set(encoder.encode(value), at);
    put(0, `package/${path}`);
    put(100, "0000644\0");
    put(124, `${content.length.toString(8).padStart(11, "0")} `);
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    const sum = header.reduce((total, byte) => total + byte, 0);
    put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
    const padded = new Uint8Array(512 * Math.ceil(content.length / 512));
    padded.set(content);
    return [header, padded];
  });
  const whole = new Uint8Array(blocks.reduce((size, { length }) => size + length, 1024));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

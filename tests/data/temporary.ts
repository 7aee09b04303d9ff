import pngWriter from "imagescript/png/node.js";

/** A new folder with the given files, removed at the end of the scope. */
export function temporaryFolder(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Disposable & { path: string } {
  const path = Deno.makeTempDirSync();
  for (const [file, content] of Object.entries(files)) {
    Deno.mkdirSync(`${path}/${file}`.replace(/[^/]*$/, ""), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(`${path}/${file}`, content);
    else Deno.writeFileSync(`${path}/${file}`, content);
  }
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** A 4 x 4 PNG of one colour; the value makes its content unlike that of others. */
export function plainPng(value: number, options = { width: 4, height: 4 }): Uint8Array {
  const { width, height } = options;
  const rgb = new Uint8Array(3 * width * height).fill(value);
  return pngWriter.encode(rgb, { width, height, channels: 3, level: 6 });
}

/** A small real JPEG. */
export function faceJpeg(): Uint8Array {
  const folder = new URL("../fixtures/faces/images/", import.meta.url);
  return Deno.readFileSync(new URL("04022.jpg", folder));
}

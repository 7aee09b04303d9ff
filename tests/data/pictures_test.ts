import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import gifDecoder from "imagescript/wasm/node/gif.js";
import { decodePicture, encodeGif, encodePng, grid, type Sheet } from "../../data/mod.ts";

interface GifDecoder {
  init(): Promise<{ load(bytes: Uint8Array): { delay: number; buffer: Uint8Array }[] }>;
}

function withoutAlpha(rgba: Uint8Array): Uint8Array {
  return rgba.filter((_, i) => i % 4 !== 3);
}

Deno.test("A PNG holds the pixels that it was made from", async () => {
  const rgb = Uint8Array.from({ length: 3 * 7 * 5 }, (_, i) => i * 53 % 256);
  const picture = await decodePicture(await encodePng(rgb, { width: 7, height: 5 }));
  assertEquals([picture.width, picture.height], [7, 5]);
  assertEquals(withoutAlpha(picture.rgba), rgb);
  await assertRejects(
    () => encodePng(rgb, { width: 5, height: 5 }),
    RangeError,
    "75 bytes for 5 x 5",
  );
});

Deno.test("A grid fills rows first, with white between and enlarged pixels", () => {
  const images = Uint8Array.from({ length: 3 * 3 }, (_, i) => i);
  const { rgb, width, height } = grid(images, { size: 1, columns: 2, padding: 1, scale: 2 });
  assertEquals([width, height], [7, 7]);
  const red = Array.from({ length: 49 }, (_, i) => rgb[3 * i]);
  // deno-fmt-ignore
  assertEquals(red, [
    255, 255, 255, 255, 255, 255, 255,
    255,   0,   0, 255,   3,   3, 255,
    255,   0,   0, 255,   3,   3, 255,
    255, 255, 255, 255, 255, 255, 255,
    255,   6,   6, 255, 255, 255, 255,
    255,   6,   6, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255,
  ]);
  assertEquals([...rgb.subarray(3 * 8, 3 * 9)], [0, 1, 2]);
  assertThrows(
    () => grid(new Uint8Array(10), { size: 2, columns: 1 }),
    RangeError,
    "multiple of 12",
  );
});

Deno.test("Headings stand above their columns and stay inside them", () => {
  const sheet = grid(new Uint8Array(2 * 3 * 16 * 16), {
    size: 16,
    columns: 2,
    labels: ["I", "a long heading"],
  });
  const dark = (x: number, y: number) => sheet.rgb[3 * (y * sheet.width + x)] === 60;
  const rows = Array.from(
    { length: 7 },
    (_, y) => Array.from({ length: 18 }, (_, x) => dark(x, y + 2) ? "#" : ".").join("").trim(),
  );
  assertEquals(rows[0].replace(/^\.+|\.+$/g, ""), "###");
  assertEquals(rows[3].replace(/^\.+|\.+$/g, ""), "#");
  assert(!Array.from({ length: 10 }, (_, y) => dark(sheet.width - 1, y)).some(Boolean));
});

Deno.test("Frames of a GIF come back in few colours exactly, with their delay", async () => {
  // Long enough to fill the table of codes and start it anew.
  const frames = [3, 5].map((factor): Sheet => ({
    width: 150,
    height: 100,
    rgb: Uint8Array.from({ length: 3 * 15000 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return (pixel * pixel * factor >> 5) % 5 * 60;
    }),
  }));
  const decoder = await (gifDecoder as GifDecoder).init();
  const decoded = decoder.load(encodeGif(frames, { delayMs: 120 }));
  assertEquals(decoded.length, 2);
  decoded.forEach(({ delay, buffer }, i) => {
    assertEquals(delay, 12);
    assertEquals(withoutAlpha(buffer), frames[i].rgb);
  });
});

Deno.test("A GIF of many colours stays close to its frames", async () => {
  const rgb = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % 64, Math.floor(i / 192)];
    return [4 * x, 4 * y, 255 - 2 * x - 2 * y][i % 3];
  });
  const decoder = await (gifDecoder as GifDecoder).init();
  const [{ buffer }] = decoder.load(encodeGif([{ width: 64, height: 64, rgb }], { delayMs: 50 }));
  const error = withoutAlpha(buffer).reduce((sum, value, i) => sum + Math.abs(value - rgb[i]), 0);
  assert(error / rgb.length < 6, `mean error ${error / rgb.length}`);
});

Deno.test("Frames of a GIF must be of one size", () => {
  const frame = (side: number) => grid(new Uint8Array(3 * side * side), { size: side, columns: 1 });
  assertThrows(
    () => encodeGif([frame(4), frame(5)], { delayMs: 50 }),
    RangeError,
    "9 x 9 vs 8 x 8",
  );
  assertThrows(() => encodeGif([], { delayMs: 50 }), RangeError, "at least one frame");
});

Deno.test("Headings of rows stand to their left, and move the pictures aside", () => {
  const plain = grid(new Uint8Array(2 * 3 * 16 * 16), { size: 16, columns: 1 });
  const sheet = grid(new Uint8Array(2 * 3 * 16 * 16), {
    size: 16,
    columns: 1,
    rowLabels: ["I", "0.5"],
  });
  const margin = 2 + 3 * 6;
  assertEquals([sheet.width, sheet.height], [plain.width + margin, plain.height]);
  const red = (x: number, y: number) => sheet.rgb[3 * (y * sheet.width + x)];
  assertEquals([red(margin + 1, 2), red(margin + 2, 2)], [255, 0]);
  // The bar of the I, in the middle of the first row.
  const top = 2 + ((16 - 7) >> 1);
  assertEquals([2, 3, 4, 5, 6].map((x) => red(x, top)), [255, 60, 60, 60, 255]);
});

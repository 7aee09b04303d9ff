import { assertEquals } from "@std/assert";
import { cropResize } from "../../data/resize.ts";

/** A grey picture whose pixels are (37 * index) mod 256. */
function pattern(size: number): { width: number; height: number; rgba: Uint8Array } {
  const rgba = new Uint8Array(4 * size * size).map((_, i) =>
    i % 4 === 3 ? 255 : Math.floor(i / 4) * 37 % 256
  );
  return { width: size, height: size, rgba };
}

// x = (torch.arange(n * n) * 37 % 256).float().reshape(1, 1, n, n)
// F.interpolate(x, (m, m), mode="bicubic", antialias=True).clamp(0, 255).round()
const SHRUNK = [73, 161, 90, 169, 104, 103, 106, 111, 187];
// deno-fmt-ignore
const ENLARGED = [
  0, 3, 29, 54, 68, 30, 49, 82, 109, 122, 108, 122, 148, 174, 188, 198, 141, 59, 77, 99, 248, 145, 0,
  5, 32,
];

Deno.test("Resizing agrees with PyTorch's bicubic interpolation with antialiasing", () => {
  for (const [from, to, expected] of [[8, 3, SHRUNK], [3, 5, ENLARGED]] as const) {
    const result = cropResize(pattern(from), to);
    for (let channel = 0; channel < 3; channel++) {
      const plane = result.subarray(channel * to * to, (channel + 1) * to * to);
      assertEquals([...plane], [...expected], `${from} to ${to}`);
    }
  }
});

Deno.test("The centre square is cut out of wide and of tall pictures", () => {
  const rgba = Uint8Array.from({ length: 4 * 8 }, (_, i) => i % 4 === 3 ? 255 : i);
  const wide = cropResize({ width: 4, height: 2, rgba }, 2);
  assertEquals([...wide], [4, 8, 20, 24, 5, 9, 21, 25, 6, 10, 22, 26]);
  const tall = cropResize({ width: 2, height: 4, rgba }, 2);
  assertEquals([...tall], [8, 12, 16, 20, 9, 13, 17, 21, 10, 14, 18, 22]);
});

Deno.test("Transparent pixels become white", () => {
  assertEquals([...cropResize({ width: 1, height: 1, rgba: Uint8Array.of(9, 9, 9, 0) }, 1)], [
    255,
    255,
    255,
  ]);
});

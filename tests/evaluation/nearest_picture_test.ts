import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { mirror } from "../../data/mod.ts";
import { nearestPicture } from "../../evaluation/mod.ts";

const SIZE = 8, COUNT = 20, LENGTH = 3 * SIZE * SIZE;
const images = Uint8Array.from(
  { length: COUNT * LENGTH },
  (_, i) => (i * 7919 + (i >> 5) * 13) % 256,
);
const data = { images, size: SIZE };
const mirrored = (picture: Uint8Array) => mirror(picture.slice(), SIZE);
const picture = (i: number) => images.slice(i * LENGTH, (i + 1) * LENGTH);

Deno.test("The nearest picture is found by the mean difference of pixels", () => {
  assertEquals(nearestPicture(picture(7), data), { index: 7, distance: 0, mirrored: false });
  const changed = picture(7);
  changed[5] ^= 64;
  const near = nearestPicture(changed, data);
  assertEquals([near.index, near.mirrored], [7, false]);
  assertAlmostEquals(near.distance, 64 / LENGTH, 1e-12);
});

Deno.test("A mirror image is as near as the picture", () => {
  const turned = mirrored(picture(3));
  assertEquals(nearestPicture(turned, data), { index: 3, distance: 0, mirrored: true });
  assertEquals(turned[0], picture(3)[SIZE - 1]);
  assertEquals(mirrored(turned), new Uint8Array(picture(3)));
});

Deno.test("The search gives what looking at all differences gives, and can leave a picture out", () => {
  const asked = picture(11);
  const all = Array.from(
    { length: COUNT },
    (_, index) =>
      [asked, mirrored(asked)].map((it, k) => ({
        index,
        mirrored: k === 1,
        distance: it.reduce((sum, x, i) => sum + Math.abs(x - picture(index)[i]), 0) / LENGTH,
      })),
  ).flat().filter(({ index }) => index !== 11);
  const expected = all.reduce((a, b) => b.distance < a.distance ? b : a);
  assertEquals(nearestPicture(asked, data, { except: 11 }), expected);
  assertThrows(() => nearestPicture(asked.slice(1), data), RangeError, "has 192 bytes, not 191");
  assertThrows(
    () => nearestPicture(asked, { ...data, images: picture(0) }, { except: 0 }),
    RangeError,
    "no picture to be near to",
  );
});

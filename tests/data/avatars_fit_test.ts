import { assert, assertEquals } from "@std/assert";
import { drawAvatar, fitAvatar, randomAttributes } from "../../data/mod.ts";

const SIZE = 32;

Deno.test("a drawn avatar's looks are found from its pixels, under noise too", () => {
  for (let index = 0; index < 3; index++) {
    const looks = randomAttributes(11, index);
    const picture = drawAvatar(looks, SIZE);
    // Noise of up to 16 of 255, the same on every run.
    const noisy = picture.map((byte, i) => Math.min(255, Math.max(0, byte + (i * 7919) % 33 - 16)));
    for (const image of [picture, noisy]) {
      const { looks: found } = fitAvatar(image, { size: SIZE });
      for (const key of ["hair", "style", "eyes", "skin", "glasses"] as const) {
        assertEquals(found[key], looks[key], `${key} of avatar ${index}`);
      }
      assert(Math.abs(found.tilt - looks.tilt) < 0.05, `tilt of avatar ${index}`);
      assert(Math.abs(found.smile - looks.smile) < 0.15, `smile of avatar ${index}`);
      // Long hair leaves the picture: how long it is shows less.
      const near = looks.style === "long" ? 0.2 : 0.05;
      assert(Math.abs(found.hairLength - looks.hairLength) < near, `hair of avatar ${index}`);
    }
  }
});

Deno.test("what is known of an avatar is taken as it is", () => {
  const looks = randomAttributes(11, 5);
  const { looks: found } = fitAvatar(drawAvatar(looks, SIZE), {
    size: SIZE,
    known: { hair: "green", tilt: 0.25 },
  });
  assertEquals([found.hair, found.tilt], ["green", 0.25]);
});

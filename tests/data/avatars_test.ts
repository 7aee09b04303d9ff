import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  avatarDataset,
  drawAvatar,
  drawAvatars,
  HAIR_COLOURS,
  loadDataset,
  measureHairColour,
  randomAttributes,
  UserError,
  writeAvatars,
} from "../../data/mod.ts";
import { CounterRandom } from "../../data/random.ts";
import { temporaryFolder } from "./temporary.ts";

/** A box blur of 3 x 3, a change of brightness, and noise: worse than what a trained generator does. */
function spoil(image: Uint8Array, options: { size: number; seed: number }): Uint8Array {
  const { size, seed } = options;
  const random = new CounterRandom(seed, 9);
  const brightness = 0.85 + 0.3 * random.uniform(image.length);
  return new Uint8Array(Uint8ClampedArray.from(image, (_, at) => {
    const [x, y] = [at % size, Math.floor(at / size) % size];
    let sum = 0;
    let count = 0;
    for (let v = Math.max(0, y - 1); v <= Math.min(size - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(size - 1, x + 1); u++) {
        sum += image[at + (v - y) * size + u - x];
        count++;
      }
    }
    return brightness * sum / count + 50 * (random.uniform(at) - 0.5);
  }));
}

Deno.test("Hair colour is measured from pixels in 99 of 100 avatars, also blurred and noisy", () => {
  for (const size of [32, 64]) {
    const count = 400;
    const { images, attributes } = drawAvatars({ count, size, seed: 11 });
    let [clean, spoilt] = [0, 0];
    attributes.forEach(({ hair }, i) => {
      const image = images.subarray(i * 3 * size * size, (i + 1) * 3 * size * size);
      if (measureHairColour(image, size) === hair) clean++;
      if (measureHairColour(spoil(image, { size, seed: i }), size) === hair) spoilt++;
    });
    assert(clean >= 0.99 * count, `${clean} of ${count} at ${size}`);
    assert(spoilt >= 0.99 * count, `${spoilt} of ${count} spoilt at ${size}`);
  }
});

Deno.test("Hair colour is measured at the ends of every other attribute", () => {
  const look = randomAttributes(1, 0);
  for (const hair of Object.keys(HAIR_COLOURS) as (keyof typeof HAIR_COLOURS)[]) {
    for (const style of ["long", "ponytail", "short", "twintails"] as const) {
      for (const tilt of [-1, 1]) {
        for (const background of [0, 0.15, 0.3, 0.6, 0.9]) {
          const picture = drawAvatar({ ...look, hair, style, tilt, background, hairLength: 0 }, 32);
          assertEquals(measureHairColour(picture, 32), hair, `${style} ${tilt} ${background}`);
        }
      }
    }
  }
});

Deno.test("Every attribute changes the picture, and the same attributes give the same one", () => {
  const look = { ...randomAttributes(1, 0), hair: "red", style: "long", eyes: "blue" } as const;
  const other = {
    hair: "pink",
    style: "short",
    eyes: "red",
    skin: look.skin === "dark" ? "light" : "dark",
    glasses: !look.glasses,
    tilt: -look.tilt,
    hairLength: 1 - look.hairLength,
    smile: 1 - look.smile,
    background: 1 - look.background,
    clothes: 1 - look.clothes,
  } as const;
  const picture = drawAvatar(look, 32);
  assertEquals(drawAvatar(look, 32), picture);
  for (const [name, value] of Object.entries(other)) {
    const changed = drawAvatar({ ...look, [name]: value }, 32);
    assert(changed.some((byte, i) => Math.abs(byte - picture[i]) > 40), `${name} shows`);
  }
});

Deno.test("Attributes of avatars are spread evenly and drawn on their own", () => {
  const looks = Array.from({ length: 4000 }, (_, i) => randomAttributes(3, i));
  for (const hair of Object.keys(HAIR_COLOURS)) {
    const share = looks.filter((look) => look.hair === hair).length / looks.length;
    assert(Math.abs(share - 1 / 8) < 0.02, `${hair}: ${share}`);
  }
  const pairs = new Set(
    looks.map(({ hair, style, eyes, skin }) => [hair, style, eyes, skin].join()),
  );
  assertEquals(pairs.size, 8 * 4 * 5 * 3);
  const mean = looks.reduce((sum, { tilt, smile }) => sum + tilt * (smile - 0.5), 0) / looks.length;
  assert(Math.abs(mean) < 0.02, `tilt against smile: ${mean}`);
});

Deno.test("Written avatars load as a data set of their classes, pixel by pixel", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/avatars`;
  const options = { count: 60, size: 16, seed: 4 };
  await writeAvatars(path, options);
  const dataset = await loadDataset(path, { size: 16 });
  assertEquals(dataset.problems, []);
  assertEquals(dataset.columns.map(({ name }) => name), [
    "hair",
    "style",
    "eyes",
    "skin",
    "glasses",
  ]);
  const { images, attributes } = drawAvatars(options);
  assertEquals(dataset.images, images);
  const { classes } = dataset.columns[0];
  assertEquals(
    Array.from(dataset.labels[0], (label) => classes[label]),
    attributes.map(({ hair }) => hair),
  );
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

Deno.test("Avatars are not written over what is there", async () => {
  using folder = temporaryFolder({ "mine/keep.txt": "keep" });
  const write = (path: string) => writeAvatars(path, { count: 1, size: 8, seed: 1 });
  await assertRejects(() => write(`${folder.path}/mine`), UserError, "is not empty");
  await assertRejects(
    () => write(`${folder.path}/mine/keep.txt`),
    UserError,
    "Cannot write avatars",
  );
  assertEquals(Deno.readTextFileSync(`${folder.path}/mine/keep.txt`), "keep");
});

Deno.test("Avatars in memory are the data set that is read from their folder", async () => {
  using folder = temporaryFolder();
  const options = { count: 12, size: 16, seed: 5 };
  await writeAvatars(`${folder.path}/data`, options);
  for (const also of [[], ["tilt", "smile"]]) {
    const read = await loadDataset(`${folder.path}/data`, { size: 16, also });
    const { fingerprint, ...made } = avatarDataset({ ...options, also });
    const { fingerprint: other, files, ...expected } = read;
    assertEquals(made, expected);
    assertEquals(files?.[11], "images/00011.png");
    assert(fingerprint !== other && fingerprint.includes("avatars"));
  }
  const names = [1, 2].map((seed) => avatarDataset({ ...options, seed }).fingerprint);
  assert(names[0] !== names[1]);
});

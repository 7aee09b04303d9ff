// What discriminators see of real pictures with the plugin diff-augment: a picture a row, as it is, changed by each
// part of the policy alone, and by all of them.
//
//   deno run -A examples/augmented.ts DATA OUT.png

import { type Dataset, encodePng, grid, loadDataset } from "../data/mod.ts";
import { cast, compile, concat, Device, div, Generator, read, sub, tensor } from "../engine/mod.ts";
import { augmentations } from "../plugins/diff_augment.ts";

const SIZE = 32, SCALE = 2, ROWS = 4, SEED = 1;

/** The sheet as a PNG: the first pictures of a data set, a column an augmentation. */
export async function drawAugmented({ images, size }: Dataset): Promise<Uint8Array<ArrayBuffer>> {
  const random = new Generator(SEED), length = 3 * size ** 2, shape = [ROWS, 3, size, size];
  const parts = Object.values(augmentations);
  const program = compile((bytes) => {
    const real = sub(div(cast(bytes, "f32"), 127.5), 1);
    const alone = parts.map(({ draw, apply }) => apply(real, draw(random, shape)));
    const all = parts.reduce((seen, { draw, apply }) => apply(seen, draw(random, shape)), real);
    return concat([real, ...alone, all]);
  });
  const [seen] = await read([program(tensor(images.slice(0, ROWS * length), shape))]);
  const labels = ["real", ...Object.keys(augmentations), "all"];
  const cells = new Uint8Array(ROWS * labels.length * length);
  labels.forEach((_, column) => {
    for (let row = 0; row < ROWS; row++) {
      const from = (column * ROWS + row) * length;
      const picture = seen.subarray(from, from + length);
      const bytes = Uint8ClampedArray.from(picture, (x) => (x + 1) * 127.5);
      cells.set(bytes, (row * labels.length + column) * length);
    }
  });
  const sheet = grid(cells, { size, columns: labels.length, labels, scale: SCALE });
  return await encodePng(sheet.rgb, sheet);
}

if (import.meta.main) {
  const [data, out] = Deno.args;
  if (out === undefined) {
    console.error("Usage: deno run -A examples/augmented.ts DATA OUT.png");
    Deno.exit(1);
  }
  await Device.open();
  const dataset = await loadDataset(data, { size: SIZE, columns: [], minimum: ROWS });
  await Deno.writeFile(out, await drawAugmented(dataset));
}

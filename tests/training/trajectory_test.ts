import { assertLess } from "@std/assert";
import {
  compile,
  Device,
  read,
  type StoredTensor,
  type Tensor,
  tensor,
  type TypedArray,
} from "../../engine/mod.ts";
import { Categorical } from "../../plugin/mod.ts";
import { Acgan, restore, trainStep } from "../../training/mod.ts";
import { readFamily, tensorsOf } from "../golden/cases.ts";

await Device.open();

const family = await readFamily("trajectory");
const golden = family.cases.find(({ op }) => op === "acgan_train")!;
const inputs = tensorsOf(family, golden, "in");
const results = tensorsOf(family, golden, "extra");
const TERMS = ["d.adv_real", "d.adv_fake", "d.class.kind.real", "d.class.kind.fake"];

Deno.test("Twelve training steps follow PyTorch's, losses and movement of every variable", async () => {
  const { classes, lr, betas } = golden.attrs;
  const names = Array.from({ length: classes }, (_, i) => String(i));
  const kind = new Categorical({
    name: "kind",
    classes: names,
    frequencies: names.map(() => 1 / classes),
  });
  const model = new Acgan({
    size: 16,
    generator: { latent: 20, base: 2, channels: [32, 16, 8, 4] },
    discriminator: { channels: [8, 16, 32] },
    seed: 1,
    lr,
    betas,
  }, [kind]);
  const networks = Object.fromEntries(
    Object.entries(model.state()).filter(([name]) => /^[GD]\./.test(name)),
  );
  restore(networks, rename(inputs));
  const step = compile((images, y, zD, cD, zG, cG) =>
    trainStep(model, {
      images,
      values: [y],
      forD: { z: zD, values: [cD] },
      forG: { z: zG, values: [cG] },
    })
  );

  for (let t = 0; t < inputs.real.shape[0]; t++) {
    const batch = ["real", "y", "z_d", "c_d", "z_g", "c_g"].map((name) => at(inputs[name], t));
    const terms = step(...batch);
    const d = await read(TERMS.map((name) => terms[name]));
    const g = await read([terms["g.adv"], terms["g.class.kind"]]);
    assertClose(d.map(([x]) => x), results.d_terms.data.subarray(4 * t, 4 * t + 4), 1e-3);
    assertClose(g.map(([x]) => x), results.g_terms.data.subarray(2 * t, 2 * t + 2), 1e-3);
  }

  const final = await read(Object.values(networks));
  const initial = rename(inputs);
  const wanted = rename(results, "final.");
  Object.keys(networks).forEach((name, i) => {
    const before = initial[name].data;
    assertClose(final[i], wanted[name].data, 1e-3, name);
    assertClose(
      Array.from(final[i], (x, at) => x - before[at]),
      Array.from(wanted[name].data, (x, at) => x - before[at]),
      5e-3,
      `the movement of ${name}`,
    );
  });
});

/** Golden tensors under this model's names: its one head is that of the condition `kind`. */
function rename(
  tensors: Readonly<Record<string, StoredTensor>>,
  prefix = "",
): Record<string, StoredTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, stored]) => [
      name.slice(prefix.length).replace("D.cls.", "D.cls.kind."),
      stored,
    ]),
  );
}

/** Element `index` of the first axis. */
function at({ shape, data }: StoredTensor, index: number): Tensor {
  const size = data.length / shape[0];
  return tensor(data.slice(index * size, (index + 1) * size) as TypedArray, shape.slice(1));
}

function assertClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  limit: number,
  what = "the loss terms",
): void {
  const length = (numbers: number[]) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));
  const error = length(Array.from(want, (x, i) => got[i] - x)) / length(Array.from(want));
  assertLess(error, limit, `${what}: off by ${error}`);
}

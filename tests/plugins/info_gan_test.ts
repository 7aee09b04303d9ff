import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { add, Device, read, reshape, slice, stack, type Tensor, tensor } from "../../engine/mod.ts";
import { UserError } from "../../plugin/mod.ts";
import { GaussianCode } from "../../plugins/info_gan.ts";
import { readFamily, tensorsOf } from "../golden/cases.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { chosen, trainsAndResumes, trainTiny } from "./tiny_run.ts";

await Device.open();

Deno.test("Q's Gaussian loss is PyTorch's, with a deviation that is learned and with one that is not", async () => {
  const family = await readFamily("gan_math");
  for (
    const [name, sigma] of [["infogan_cont", "learned"], ["infogan_cont_fixed", "fixed"]] as const
  ) {
    const golden = family.cases.find((c) => c.case === name)!;
    const inputs = tensorsOf(family, golden, "in");
    const { mu, logvar, c } = Object.fromEntries(
      Object.entries(inputs).map(([key, { data, shape }]) => [key, tensor(data, shape)]),
    );
    const [batch, codes] = mu.shape;
    const column = (x: Tensor, k: number) => reshape(slice(x, [null, [k, k + 1]]), [batch]);
    const code = new GaussianCode({ name: "code", sigma });
    const losses = Array.from({ length: codes }, (_, k) => {
      const parts = sigma === "learned" ? [mu, logvar] : [mu];
      const head = stack(parts.map((part) => column(part, k)), { dim: 1 });
      return code.loss(head, column(c, k));
    });
    const [[got]] = await read([losses.reduce((a, b) => add(a, b))]);
    const [want] = family.tensors[`${golden.case}/out`].data;
    assert(Math.abs(got - want) < 1e-5 * Math.abs(want), `${name}: ${got}, not ${want}`);
  }
});

Deno.test("Codes train without labels, and a run goes on with the same bytes", async () => {
  const metrics = await trainsAndResumes(() => [
    chosen("info-gan", { classes: ["3"], continuous: 1, sigma: "learned" }),
  ]);
  const names = Object.keys(metrics).filter((name) => !/adv|step|^d\.auc$|^diversity$/.test(name));
  assertEquals(names, [
    "d.class.kind1.fake",
    "d.class.code1.fake",
    "g.class.kind1",
    "g.class.code1",
    "accuracy.kind1.fake",
    "accuracy.code1.fake",
    "info-gan.change.kind1",
    "info-gan.change.code1",
  ]);
  assert(metrics["info-gan.change.kind1"] > 0 && metrics["info-gan.change.code1"] > 0);
});

Deno.test("A code is asked for from -1 to 1", () => {
  const code = new GaussianCode({ name: "code1", sigma: "fixed" });
  assertEquals(code.parse("-0.5"), [-0.5]);
  assertThrows(() => code.parse("2"), UserError, "code1 must be a number from -1 to 1, not 2");
  assertEquals(code.showcase().map(({ label }) => label), [
    "-1.0",
    "-0.7",
    "-0.3",
    "0.0",
    "0.3",
    "0.7",
    "1.0",
  ]);
});

Deno.test("Codes that are none are errors", async () => {
  const fails = (options: Record<string, unknown>, message: string) =>
    assertRejects(
      async () => {
        using folder = temporaryFolder();
        await trainTiny(`${folder.path}/run`, [chosen("info-gan", options)]);
      },
      UserError,
      message,
    );
  await fails({ classes: ["1"] }, "classes must be whole numbers above 1, not 1");
  await fails({ classes: ["0"], continuous: 0 }, "there is no code to be found");
  await fails(
    { continuous: -1 },
    "info-gan.continuous must be a whole number from 0 to 64, not -1",
  );
});

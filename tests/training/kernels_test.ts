import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { Device, identify, type KernelSite, siteKey } from "../../engine/mod.ts";
import {
  type ChooseKernels,
  loadGenerator,
  NEWEST,
  restoreKernels,
  Sampler,
  type Schedule,
  train,
} from "../../training/mod.ts";
import { settleKernels } from "../../training/kernels.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "./tiny.ts";

const device = await Device.open();
const adapter = identify(device.adapter);
const schedule: Schedule = { steps: 6, logEvery: 3, gridEvery: 6, checkpointEvery: 3 };

/** A tuner that finds one variant to be the best everywhere, and notes what it was asked about. */
function always(variant: string): { choose: ChooseKernels; asked: string[] } {
  const asked: string[] = [];
  const choose = (sites: readonly KernelSite[]) => {
    for (const site of sites) device.variants.set(site, variant);
    asked.push(...sites.map(siteKey));
    return Promise.resolve();
  };
  return { choose, asked };
}

async function start(folder: string, chooseKernels?: ChooseKernels, steps = schedule.steps) {
  const messages: string[] = [];
  await train(tinyDataset(), {
    folder,
    settings: tinySettings,
    schedule: { ...schedule, steps },
    chooseKernels,
    onMessage: (message) => messages.push(message),
  });
  return messages;
}

const newest = (folder: string) => Deno.readFile(`${folder}/${NEWEST}`);
const kernelsOf = (folder: string) => JSON.parse(Deno.readTextFileSync(`${folder}/kernels.json`));

Deno.test("a run that goes on ends with the same bits, whatever tuning finds by then", async () => {
  using whole = temporaryFolder();
  using stopped = temporaryFolder();
  using other = temporaryFolder();
  await start(whole.path, always("direct").choose);
  await start(stopped.path, always("direct").choose, 3);
  const later = always("image");
  await start(stopped.path, later.choose);
  assertEquals(later.asked, [], "nothing is left to choose");
  assertEquals(await newest(stopped.path), await newest(whole.path));

  // The variants do differ in their last bits, so that this test could fail.
  await start(other.path, always("image").choose);
  assertNotEquals(await newest(other.path), await newest(whole.path));
});

Deno.test("a run begun without tuning goes on with the static guess, tuned or not", async () => {
  using whole = temporaryFolder();
  using stopped = temporaryFolder();
  await start(whole.path);
  await start(stopped.path, undefined, 3);
  await start(stopped.path, always("direct").choose);
  assertEquals(await newest(stopped.path), await newest(whole.path));
});

Deno.test("a run does not take over what another run of the process chose", async () => {
  using first = temporaryFolder();
  using second = temporaryFolder();
  await start(first.path, always("direct").choose);
  await start(second.path);
  const variants = Object.values(kernelsOf(second.path)[adapter]);
  assert(variants.every((variant) => variant !== "direct"), String(variants));
});

Deno.test("drawing with a run takes the kernels that it drew its grids with", async () => {
  using folder = temporaryFolder();
  await start(folder.path, always("direct").choose);
  const { generator, conditions } = await loadGenerator(folder.path);
  const sites = new Sampler(generator, conditions).sites();
  assert(sites.length > 0);
  for (const site of sites) device.variants.set(site, undefined);
  assertEquals(await restoreKernels(folder.path, sites, { device }), []);
  for (const { family, shape } of sites) assertEquals(device.variants.get(family, shape), "direct");
});

const site = (shape: string, candidates = ["a", "b"]) =>
  ({ family: "conv2d", shape, candidates }) as unknown as KernelSite;

Deno.test("each adapter has its own kernels, and none of another's is lost", async () => {
  const elsewhere = { "another adapter": { "conv2d 1": "x" } };
  using folder = temporaryFolder({ "kernels.json": JSON.stringify(elsewhere) });
  const { choose, asked } = always("b");
  await settleKernels(folder.path, [site("1"), site("2")], { device, choose });
  assertEquals(asked, ["conv2d 1", "conv2d 2"]);
  assertEquals(kernelsOf(folder.path), {
    ...elsewhere,
    [adapter]: { "conv2d 1": "b", "conv2d 2": "b" },
  });
});

Deno.test("kernels that are gone are said to be, and chosen anew; the others stay", async () => {
  const before = { [adapter]: { "conv2d 1": "old", "conv2d 2": "b" } };
  using folder = temporaryFolder({ "kernels.json": JSON.stringify(before) });
  const messages: string[] = [];
  await settleKernels(folder.path, [site("1"), site("2"), site("3")], {
    device,
    onMessage: (message) => messages.push(message),
  });
  assertEquals(messages, [
    `${folder.path} was computed with kernels that are gone (old of conv2d): numbers can differ in ` +
    `their last bits from here on`,
  ]);
  assertEquals(kernelsOf(folder.path), {
    [adapter]: { "conv2d 1": "a", "conv2d 2": "b", "conv2d 3": "a" },
  });
});

Deno.test("a damaged kernels.json is an error that says what to do, and stays as it is", async () => {
  for (const text of ['{"A":', "[]", '{"A":{"conv2d 1":5}}', '{"A":"direct"}']) {
    using folder = temporaryFolder({ "kernels.json": text });
    await assertRejects(
      () => settleKernels(folder.path, [site("1")], { device }),
      UserError,
      `${folder.path}/kernels.json is damaged`,
    );
    assertEquals(Deno.readTextFileSync(`${folder.path}/kernels.json`), text);
  }
});

import { assertAlmostEquals, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Device, read, tensor, Variable } from "../../engine/mod.ts";
import { UserError } from "../../plugin/mod.ts";
import { describeRun } from "../../training/run.ts";
import { judge } from "../../training/judge.ts";
import {
  Acgan,
  type ChosenPlugin,
  Critic,
  loadGenerator,
  NEWEST,
  Plugins,
  PREVIOUS,
  Sampler,
  saveCheckpoint,
  withMix,
} from "../../training/mod.ts";
import { discriminatorStages } from "../../models/mod.ts";
import { fromBytes } from "../../training/pictures.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { chosen, numberedDataset } from "../plugins/tiny_run.ts";
import { SIZE, tinyConditions, tinySettings } from "./tiny.ts";

await Device.open();

const BYTES = 3 * SIZE ** 2;

/** The logarithm of a logistic function, and of a softmax at a place. */
const logSigmoid = (x: number) => -Math.log1p(Math.exp(-x));
const logSoftmax = (x: readonly number[], at: number) =>
  x[at] - Math.log(x.reduce((sum, value) => sum + Math.exp(value), 0));

Deno.test("A critic adds up how real a picture is and how much of each class it is", async () => {
  const conditions = tinyConditions(), model = new Acgan(tinySettings, conditions);
  const sampler = new Sampler(model.generator, conditions);
  const critic = new Critic(model.discriminator, conditions, { size: SIZE });
  const requests = await sampler.requests(Array.from({ length: 18 }, (_, i) => i));
  const shares = [{ value: [0], weight: 0.4 }, { value: [1], weight: 0.6 }];
  requests[1] = withMix(requests[1], conditions[0], { conditions, shares });
  const pictures = await sampler.draw(requests);
  const scores = await critic.score(pictures, requests);
  assertEquals(scores.length, 18);

  const verdict = model.discriminator.forward(
    fromBytes(tensor(new Uint8Array(pictures), [18, 3, SIZE, SIZE])),
  );
  const [source, hair, eyes] = await read([verdict.source, verdict.heads.hair, verdict.heads.eyes]);
  requests.forEach(({ values, mixes }, i) => {
    const ofHair = [...hair.subarray(3 * i, 3 * i + 3)],
      ofEyes = [...eyes.subarray(2 * i, 2 * i + 2)];
    const hairScore = (mixes?.hair ?? [{ value: values[0], weight: 1 }])
      .reduce((sum, { value, weight }) => sum + weight * logSoftmax(ofHair, value[0]), 0);
    const expected = logSigmoid(source[i]) + hairScore + logSoftmax(ofEyes, values[1][0]);
    assertAlmostEquals(scores[i], expected, 1e-4, `picture ${i}`);
  });
  assertEquals(
    await critic.score(pictures.slice(5 * BYTES, 6 * BYTES), [requests[5]]),
    [scores[5]],
    "a picture is judged alone",
  );
});

Deno.test("A critic is the discriminator of the checkpoint, with what plugins' conditions add to its logit", async () => {
  using folder = temporaryFolder();
  const model = await saved(folder.path, [
    chosen("classifier", { columns: ["hair"] }),
    chosen("continuous-labels", { columns: ["lean"], loss: "hard" }),
  ]);
  const { critic, conditions, generator } = await loadGenerator(folder.path, { critic: true });
  const sampler = new Sampler(generator, conditions);
  const [low] = await sampler.requests([1], { lean: [-1] });
  const high = { ...low, values: low.values.with(-1, [1]) };
  const two = new Uint8Array(2 * BYTES);
  two.set(await sampler.draw([low]));
  two.copyWithin(BYTES, 0, BYTES);
  const [asLow, asHigh] = await critic!.score(two, [low, high]);
  assertNotEquals(asLow, asHigh, "one picture is judged for two numbers");

  model.discriminator.eval();
  const values = Object.fromEntries(
    model.conditions.map((it, k) => [it.name, it.tensor([low.values[k], high.values[k]])]),
  );
  const images = fromBytes(tensor(two, [2, 3, SIZE, SIZE]));
  const asked = { network: "generator", pictures: "fake" } as const;
  const [[lowLogit, highLogit]] = await read([judge(model, { images, values }, asked).source]);
  assertAlmostEquals(asLow - asHigh, logSigmoid(lowLogit) - logSigmoid(highLogit), 1e-5);
  assertEquals((await loadGenerator(folder.path)).critic, undefined);
});

Deno.test("A discriminator that a plugin changed is not taken for a plain one", async () => {
  using folder = temporaryFolder();
  const extra = { "D.conv1.extra": new Variable([1], [1]) };
  await saved(folder.path, [chosen("classifier")], { extra });
  await assertRejects(
    () => loadGenerator(folder.path, { critic: true }),
    UserError,
    "it had D.conv1.extra",
  );
  assertEquals((await loadGenerator(folder.path)).step, 1);
});

Deno.test("Another checkpoint of a run is chosen by a word or by its file", async () => {
  using folder = temporaryFolder();
  using other = temporaryFolder();
  const plugins = [chosen("classifier", { columns: ["hair"] })];
  await saved(folder.path, plugins, { step: 2 });
  await saved(folder.path, plugins, { step: 4 });
  await saved(other.path, [chosen("classifier", { columns: ["eyes"] })]);
  const stepOf = async (checkpoint?: string) =>
    (await loadGenerator(folder.path, { checkpoint })).step;
  assertEquals(await stepOf(), 4);
  assertEquals(await stepOf("previous"), 2);
  assertEquals(await stepOf(`${folder.path}/${PREVIOUS}`), 2);
  await Deno.copyFile(`${folder.path}/${PREVIOUS}`, `${folder.path}/checkpoint.best.safetensors`);
  assertEquals(await stepOf("best"), 2);

  const refused = async (checkpoint: string, message: string) => {
    await assertRejects(() => stepOf(checkpoint), UserError, message);
  };
  await refused("previuos", "There is no checkpoint previuos (did you mean previous?)");
  await refused(`${other.path}/${NEWEST}`, "of another run");
  await refused(`${folder.path}/run.json`, "is no whole checkpoint");
  await Deno.remove(`${folder.path}/checkpoint.best.safetensors`);
  await refused("best", "has no best checkpoint");
});

/** A fresh model, saved as the run in `folder` after a step. */
async function saved(
  folder: string,
  chosen: readonly ChosenPlugin[],
  { step = 1, extra = {} }: { step?: number; extra?: Record<string, Variable> } = {},
): Promise<Acgan> {
  const { size, discriminator } = tinySettings, data = numberedDataset();
  const stages = discriminatorStages(discriminator, size);
  const plugins = await Plugins.setUp(chosen, { ...tinySettings, stages, data });
  const { conditions } = plugins, model = new Acgan(tinySettings, conditions, { plugins });
  const run = describeRun(tinySettings, { data: data.fingerprint, conditions, plugins });
  await Deno.writeTextFile(`${folder}/run.json`, JSON.stringify(run));
  await saveCheckpoint(folder, { ...model.state(), ...extra }, { step, run });
  return model;
}

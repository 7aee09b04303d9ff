import { assertEquals, assertLess } from "@std/assert";
import {
  compile,
  decodeSafetensors,
  Device,
  HostGenerator,
  read,
  type StoredTensor,
  tensor,
  type TypedArray,
} from "../../engine/mod.ts";
import { SrresnetGenerator } from "../../models/mod.ts";

await Device.open();

const generator = new HostGenerator(1);
const { tensors } = decodeSafetensors(
  await Deno.readFile(new URL("../fixtures/torch_srresnet.safetensors", import.meta.url)),
);

Deno.test("The SRResNet generator has the variables of the same model in PyTorch, in its order", () => {
  const widths = { latent: 128, base: 8, channels: 64, blocks: 16, stages: 3 };
  const names = Object.keys(new SrresnetGenerator(widths, 34, { generator }).namedParameters());
  assertEquals(names.length, 2 + 2 + 16 * 6 + 2 + 3 * 3 + 2);
  assertEquals(names.slice(0, 5), [
    "fc.weight",
    "fc.bias",
    "bn0.weight",
    "bn0.bias",
    "blocks.0.conv1.weight",
  ]);
  assertEquals(names.slice(-3), ["stages.2.bn.bias", "out.weight", "out.bias"]);
});

Deno.test("The SRResNet generator draws PyTorch's pictures with PyTorch's weights", async () => {
  const widths = { latent: 5, base: 3, channels: 8, blocks: 2, stages: 2 };
  const net = new SrresnetGenerator(widths, 3, { generator });
  const weights = Object.entries(tensors).filter(([name]) => name.startsWith("net."));
  net.loadStateDict(
    Object.fromEntries(weights.map(([name, value]) => [name.slice("net.".length), value])),
  );
  const given = ({ data, shape }: StoredTensor) => tensor(data, shape);
  const draw = (training: boolean) =>
    compile((z, code) => net.train(training).forward(z, code))(
      given(tensors.z),
      given(tensors.code),
    );
  const used = draw(false), trained = draw(true);
  assertEquals(used.shape, [6, 3, 12, 12]);
  const [inUse, inTraining] = await read([used, trained]);
  const errors = [
    furthest(inUse, tensors["pictures.eval"].data),
    furthest(inTraining, tensors["pictures.train"].data),
  ];
  console.log(`farthest from PyTorch: ${Math.max(...errors).toExponential(1)}`);
  assertLess(Math.max(...errors), 1e-5);
});

function furthest(a: TypedArray, b: TypedArray): number {
  assertEquals(a.length, b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

// Networks with PyTorch's weights, and what PyTorch made of the same inputs.

import { assertEquals, assertLess } from "@std/assert";
import {
  add,
  compile,
  decodeSafetensors,
  grad,
  type Module,
  mul,
  read,
  type StoredTensor,
  sum,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";

const { tensors } = decodeSafetensors(
  await Deno.readFile(new URL("../fixtures/torch_architectures.safetensors", import.meta.url)),
);

/** The tensors of the file that begin with `NAME.KIND.`, by what is left of their names. */
function partOf(name: string, kind: string): Record<string, StoredTensor> {
  const prefix = `${name}.${kind}.`;
  return Object.fromEntries(
    Object.entries(tensors).filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/**
 * Loads PyTorch's weights into a network, and compares what it makes in training of the inputs, the gradients of all parameters, and the buffers afterwards.
 */
export async function assertAsPyTorch<N extends Module>(
  name: string,
  net: N,
  forward: (net: N, inputs: Record<string, Tensor>) => Record<string, Tensor>,
): Promise<void> {
  net.loadStateDict(partOf(name, "net"));
  const inputs = partOf(name, "in"), weights = partOf(name, "weigh");
  const parameters = net.namedParameters();
  const step = compile((...given: Tensor[]) => {
    const names = Object.keys(inputs);
    const outputs = forward(net, Object.fromEntries(names.map((key, i) => [key, given[i]])));
    assertEquals(Object.keys(outputs).sort(), Object.keys(weights).sort());
    const total = Object.keys(outputs).map((key) =>
      sum(mul(outputs[key], tensor(weights[key].data, weights[key].shape)))
    ).reduce((a, b) => add(a, b));
    const gradients = grad(total, Object.values(parameters));
    return Object.fromEntries([
      ...Object.entries(outputs).map(([key, value]) => [`out.${key}`, value]),
      ...Object.keys(parameters).map((key, i) => [`grad.${key}`, gradients[i]]),
    ]);
  });
  const made = step(...Object.values(inputs).map(({ data, shape }) => tensor(data, shape)));
  const found: Record<string, Tensor | typeof parameters[string]> = {
    ...made,
    ...Object.fromEntries(
      Object.entries(net.namedBuffers()).map(([key, buffer]) => [`after.${key}`, buffer]),
    ),
  };
  const numbers = await read(Object.values(found));
  const wanted = ["out", "grad", "after"].flatMap((kind) =>
    Object.keys(partOf(name, kind)).map((key) => `${kind}.${key}`)
  );
  assertEquals(Object.keys(found).sort(), wanted.sort());
  const errors = Object.keys(found).map((key, i) => {
    const { data, shape } = tensors[`${name}.${key}`];
    assertEquals([key, ...found[key].shape], [key, ...shape]);
    const scale = Math.max(...Array.from(data, (x) => Math.abs(Number(x))), 1);
    return Math.max(...Array.from(numbers[i], (x, at) => Math.abs(x - Number(data[at])))) / scale;
  });
  const worst = Math.max(...errors);
  console.log(`${name}: farthest from PyTorch ${worst.toExponential(1)}`);
  assertLess(worst, 2e-5, Object.keys(found)[errors.indexOf(worst)]);
}

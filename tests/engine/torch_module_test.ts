// Weights of a module that PyTorch trained, in the same architecture here. tests/fixtures/torch_net.py is that
// module, and wrote the file.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BatchNorm2d,
  compile,
  Conv2d,
  ConvTranspose2d,
  decodeSafetensors,
  flatten,
  leakyRelu,
  Linear,
  Module,
  Parameter,
  read,
  relu,
  reshape,
  type StoredTensor,
  tanh,
  type Tensor,
  tensor,
  type TypedArray,
} from "../../engine/mod.ts";
import { device } from "./device.ts";

await device();

class Net extends Module {
  readonly conv1 = new Conv2d(3, 8, { kernelSize: 3, padding: 1 });
  readonly bn1 = new BatchNorm2d(8);
  readonly conv2 = new Conv2d(8, 16, {
    kernelSize: 4,
    stride: 2,
    padding: 1,
    groups: 2,
    bias: false,
  });
  readonly bn2 = new BatchNorm2d(16, { momentum: 0.3, eps: 1e-3 });
  readonly fc = new Linear(16 * 4 * 4, 64);
  readonly up = new ConvTranspose2d(4, 3, { kernelSize: 4, stride: 2, padding: 1 });

  forward(x: Tensor): Tensor {
    let h = leakyRelu(this.bn1.forward(this.conv1.forward(x)), { negativeSlope: 0.2 });
    h = relu(this.bn2.forward(this.conv2.forward(h)));
    h = reshape(this.fc.forward(flatten(h, { start: 1 })), [-1, 4, 4, 4]);
    return tanh(this.up.forward(h));
  }
}

const { tensors } = decodeSafetensors(
  await Deno.readFile(new URL("../fixtures/torch_net.safetensors", import.meta.url)),
);

function part(prefix: string): Record<string, StoredTensor> {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : []
    ),
  );
}

function furthest(a: TypedArray, b: TypedArray): number {
  assertEquals(a.length, b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

Deno.test("a module loaded from PyTorch's weights gives PyTorch's output, in use and in training", async () => {
  const net = new Net();
  net.loadStateDict(part("net."));
  const input = tensor(tensors.input.data, tensors.input.shape);
  const [used] = await read([compile((x) => net.eval().forward(x))(input)]);
  const [trained] = await read([compile((x) => net.train().forward(x))(input)]);
  const errors = [
    furthest(used, tensors["output.eval"].data),
    furthest(trained, tensors["output.train"].data),
  ];
  const statistics = part("after.");
  for (const [name, variable] of Object.entries(net.namedBuffers())) {
    errors.push(furthest((await read([variable]))[0], statistics[name].data));
  }
  console.log(`farthest from PyTorch: ${Math.max(...errors).toExponential(1)}`);
  assert(Math.max(...errors) < 1e-4, `${errors}`);
});

Deno.test("weights stored in f16 load into f32 parameters, and whole numbers do not", async () => {
  const layer = new Linear(2, 1);
  const weight = { shape: [1, 2], data: new Float16Array([0.5, -3]) };
  const bias = { shape: [1], data: new Float32Array([7]) };
  layer.loadStateDict({ weight, bias });
  assertEquals(await read([layer.weight]), [new Float32Array([0.5, -3])]);
  const whole = { shape: [1, 2], data: new Int32Array([1, 2]) };
  assertThrows(
    () => layer.loadStateDict({ weight: whole, bias: { ...bias, data: new Float32Array([0]) } }),
    Error,
    '"weight" is i32, the model\'s is f32',
  );
  assertEquals(await read([layer.bias!]), [new Float32Array([7])]);

  class Half extends Module {
    readonly x = new Parameter(new Float16Array(1), [1]);
  }
  const half = new Half();
  half.loadStateDict({ x: { shape: [1], data: new Float32Array([1 / 3]) } });
  assertEquals(await read([half.x]), [new Float16Array([1 / 3])]);
});

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  Adam,
  compile,
  detach,
  Device,
  ExponentialMovingAverage,
  HostGenerator,
  Linear,
  mul,
  Parameter,
  read,
  square,
  sub,
  sum,
  tensor,
  Variable,
} from "../../engine/mod.ts";

await Device.open();

const scalar = (value: number) => new Parameter(new Float32Array([value]), []);

Deno.test("Adam finds the bottom of a bowl", async () => {
  const x = new Parameter(new Float32Array([3, -2]), [2]);
  const adam = new Adam({ x }, { lr: 0.1 });
  const step = compile(() => {
    const loss = sum(square(sub(x, tensor([1, 1]))));
    adam.minimize(loss);
    return loss;
  });
  for (let i = 0; i < 200; i++) step();
  const [numbers] = await read([x]);
  assertAlmostEquals(numbers[0], 1, 0.02);
  assertAlmostEquals(numbers[1], 1, 0.02);
});

Deno.test("Adam's first steps have the length of the learning rate, however small the gradient", async () => {
  const x = scalar(0);
  const adam = new Adam({ x }, { lr: 0.5, betas: [0.9, 0.999], eps: 1e-30 });
  const step = compile((gradient) => adam.step([gradient]));
  for (let i = 1; i <= 4; i++) {
    step(tensor(1e-6));
    const [value, count] = await read([x, adam.state().step]);
    assertAlmostEquals(value[0], -0.5 * i, 1e-5);
    assertEquals(count[0], i);
  }
});

Deno.test("a learning rate in a variable is read at every step", async () => {
  const x = scalar(0), lr = new Variable(new Float32Array([1]), []);
  const adam = new Adam({ x }, { lr, betas: [0, 0], eps: 0 });
  const step = compile((gradient) => adam.step([gradient]));
  step(tensor(1));
  lr.set(new Float32Array([0.25]));
  step(tensor(1));
  assertEquals([...(await read([x]))[0]], [-1.25]);
});

Deno.test("a later loss is not differentiated through a step of the optimiser", async () => {
  const source = scalar(2), x = scalar(1);
  const adamX = new Adam({ x }),
    adamSource = new Adam({ source }, { lr: 1, betas: [0, 0], eps: 0 });
  const step = compile(() => {
    adamX.minimize(mul(x, source));
    // d(x * source) / d(source) is x alone: x's step came from the source, but is a constant here.
    adamSource.minimize(mul(detach(x), source));
    assertThrows(() => adamSource.minimize(square(x)), Error, "does not depend on it");
  });
  step();
  assertEquals([...(await read([source]))[0]], [1]);
});

Deno.test("Adam's state is named by parameter, and a copy of it continues alike", async () => {
  const run = async (restart: boolean): Promise<number> => {
    let x = scalar(1), adam = new Adam({ "fc.bias": x });
    for (let i = 0; i < 3; i++) {
      if (restart && i === 2) {
        const saved = adam.state(), names = Object.keys(saved);
        assertEquals(names, ["step", "exp_avg.fc.bias", "exp_avg_sq.fc.bias"]);
        const numbers = await read([x, ...Object.values(saved)]);
        x = scalar(numbers[0][0]);
        adam = new Adam({ "fc.bias": x });
        names.forEach((name, k) => adam.state()[name].set(numbers[k + 1]));
      }
      compile((gradient) => adam.step([gradient]))(tensor(i + 1));
    }
    return (await read([x]))[0][0];
  };
  assertEquals(await run(true), await run(false));
});

Deno.test("Adam refuses betas out of range and too few gradients", () => {
  const x = scalar(0);
  assertThrows(() => new Adam({ x }, { betas: [0.9, 1] }), RangeError, "beta 1");
  assertThrows(() => compile(() => new Adam({ x }).step([]))(), RangeError, "1 parameters by 0");
});

Deno.test("a moving average follows parameters and holds them under the same names", async () => {
  const build = () => new Linear(1, 1, { generator: new HostGenerator(3) });
  const net = build(), average = build();
  const ema = new ExponentialMovingAverage(net, { average });
  const update = compile(() => ema.update(0.75));
  average.bias!.set(new Float32Array([0]));
  net.bias!.set(new Float32Array([8]));
  update();
  assertEquals([...(await read([ema.stateDict().bias]))[0]], [2]);
  update();
  assertEquals([...(await read([ema.stateDict().bias]))[0]], [3.5]);
  assertEquals(Object.keys(ema.stateDict()), Object.keys(net.stateDict()));
});

Deno.test("modules of different structure, or that share variables, have no average", () => {
  const net = new Linear(1, 1);
  const attempt = (average: Linear, reason: string) =>
    assertThrows(() => new ExponentialMovingAverage(net, { average }), Error, reason);
  attempt(net, "another variable");
  attempt(new Linear(2, 1), "[1, 1] into [1, 2]");
  attempt(new Linear(1, 1, { bias: false }), 'has no "bias"');
});

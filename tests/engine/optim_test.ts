import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  Adam,
  AdamW,
  compile,
  detach,
  Device,
  ExponentialMovingAverage,
  HostGenerator,
  Linear,
  mul,
  type Optimizer,
  Parameter,
  read,
  RMSprop,
  SGD,
  square,
  sub,
  sum,
  tensor,
  Variable,
} from "../../engine/mod.ts";

await Device.open();

const scalar = (value: number) => new Parameter(new Float32Array([value]), []);

Deno.test("every optimiser finds the bottom of a bowl", async (t) => {
  type Named = Record<string, Parameter>;
  const optimizers: Record<string, (p: Named) => Optimizer> = {
    Adam: (p) => new Adam(p, { lr: 0.1 }),
    AdamW: (p) => new AdamW(p, { lr: 0.1, weightDecay: 1e-4 }),
    SGD: (p) => new SGD(p, { lr: 0.1 }),
    "SGD with momentum": (p) => new SGD(p, { lr: 0.01, momentum: 0.9 }),
    "SGD with Nesterov's": (p) => new SGD(p, { lr: 0.01, momentum: 0.9, nesterov: true }),
    RMSprop: (p) => new RMSprop(p, { lr: 0.02, alpha: 0.9 }),
    "RMSprop, centred": (p) => new RMSprop(p, { lr: 0.02, eps: 1, momentum: 0.5, centered: true }),
  };
  for (const [name, optimizerOf] of Object.entries(optimizers)) {
    await t.step(name, async () => {
      const x = new Parameter(new Float32Array([3, -2]), [2]);
      const optimizer = optimizerOf({ x });
      const step = compile(() => optimizer.minimize(sum(square(sub(x, tensor([1, 1]))))));
      for (let i = 0; i < 400; i++) step();
      const [numbers] = await read([x]);
      assertAlmostEquals(numbers[0], 1, 0.03);
      assertAlmostEquals(numbers[1], 1, 0.03);
    });
  }
});

Deno.test("weight decay is rescaled by Adam's means, and not by AdamW's", async () => {
  const x = scalar(8), y = scalar(8);
  const options = { lr: 0.5, eps: 0, weightDecay: 0.25 };
  const adam = new Adam({ x }, options), adamW = new AdamW({ y }, options);
  compile(() => {
    adam.step([tensor(0)]);
    adamW.step([tensor(1e-6)]);
  })();
  const [a, b] = await read([x, y]);
  assertAlmostEquals(a[0], 8 - 0.5, 1e-5);
  assertAlmostEquals(b[0], 8 * (1 - 0.5 * 0.25) - 0.5, 1e-5);
});

Deno.test("an optimiser remembers what its settings need, by PyTorch's names", () => {
  const x = scalar(0);
  const names = (optimizer: Optimizer) => Object.keys(optimizer.state());
  assertEquals(names(new SGD({ x })), []);
  assertEquals(names(new SGD({ x }, { momentum: 0.5 })), ["momentum_buffer.x"]);
  assertEquals(names(new RMSprop({ x })), ["square_avg.x"]);
  assertEquals(
    names(new RMSprop({ x }, { momentum: 0.5, centered: true })),
    ["square_avg.x", "grad_avg.x", "momentum_buffer.x"],
  );
  assertEquals(names(new AdamW({ x })), ["step", "exp_avg.x", "exp_avg_sq.x"]);
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

Deno.test("settings out of range and too few gradients are refused", () => {
  const x = scalar(0);
  assertThrows(() => new Adam({ x }, { betas: [0.9, 1] }), RangeError, "beta 2 = 1");
  assertThrows(() => new AdamW({ x }, { betas: [-1, 0] }), RangeError, "beta 1 = -1");
  assertThrows(() => new SGD({ x }, { momentum: 1 }), RangeError, "momentum = 1");
  assertThrows(() => new SGD({ x }, { nesterov: true }), RangeError, "set momentum");
  assertThrows(() => new RMSprop({ x }, { alpha: NaN }), RangeError, "alpha = NaN");
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

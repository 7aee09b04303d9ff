import { assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { Device, read, tensor } from "../../engine/mod.ts";
import { Continuous } from "../../plugin/mod.ts";
import { Acgan, interpolate, Sampler, withMix } from "../../training/mod.ts";
import { encodeMixed, sharesOf } from "../../training/mixes.ts";
import { SIZE, tinyConditions, tinySettings } from "./tiny.ts";

await Device.open();

const age = Continuous.fromNumbers("age", [10, 15, 30], { source: {} });
const conditions = [...tinyConditions(), age];
const [hair, eyes] = conditions;
const { generator } = new Acgan(tinySettings, conditions);
const sampler = new Sampler(generator, conditions);
const BYTES = 3 * SIZE ** 2;

const black = { value: [0], weight: 0.25 }, red = { value: [2], weight: 0.75 };

Deno.test("A mix of classes is drawn from the mean of their codes", async () => {
  const [plain] = await sampler.requests([5], { eyes: [1], age: [0.5] });
  const mixed = withMix(plain, hair, { conditions, shares: [black, red] });
  assertEquals(mixed.values[0], [2], "what it is taken for is what there is most of");
  const ageCode = await read([age.encode(age.tensor([[0.5]]))]);
  const code = [0.25, 0, 0.75, 0, 1, ...ageCode[0]];
  const [images] = await read([
    generator.forward(
      tensor(new Float32Array(plain.z), [1, plain.z.length]),
      tensor(code, [1, code.length]),
    ),
  ]);
  const drawn = await sampler.draw([mixed]);
  images.forEach((x, i) => assertAlmostEquals(drawn[i], (x + 1) * 127.5, 1));
  assertNotEquals(drawn, await sampler.draw([plain]));
});

Deno.test("A picture is the same bytes whether others beside it are mixed or not", async () => {
  const [one, other] = await sampler.requests([1, 2]);
  const mixed = withMix(other, hair, { conditions, shares: [black, red] });
  const together = await sampler.draw([one, mixed]);
  assertEquals(together.slice(0, BYTES), await sampler.draw([one]));
  assertEquals(together.slice(BYTES), await sampler.draw([mixed]));
});

Deno.test("A mix of numbers is the number between, and a mix of one value that value", async () => {
  const [request] = await sampler.requests([1]);
  const shares = [{ value: [-1], weight: 0.5 }, { value: [0.5], weight: 0.5 }];
  const between = withMix(request, age, { conditions, shares });
  assertEquals([between.values[2], between.mixes], [[-0.25], undefined]);
  const mixed = withMix(request, hair, { conditions, shares: [black, red] });
  const plain = withMix(mixed, hair, { conditions, shares: [{ value: [1], weight: 1 }] });
  assertEquals([plain.values[0], plain.mixes], [[1], {}]);
});

Deno.test("Mixes of several conditions, of as many values as they like, are told as one tensor", async () => {
  const requests = (await sampler.requests([1, 2, 3])).map((request, i) =>
    i === 1
      ? withMix(withMix(request, hair, { conditions, shares: [black, red] }), eyes, {
        conditions,
        shares: [{ value: [0], weight: 0.5 }, { value: [1], weight: 0.5 }],
      })
      : request
  );
  const { weights, values } = sharesOf(requests, conditions);
  const [codes] = await read([encodeMixed(conditions, values, weights)]);
  const row = codes.length / 3;
  assertEquals([...codes.subarray(row, row + 5)], [0.25, 0, 0.75, 0.5, 0.5]);
  assertEquals(codes[requests[0].values[0][0]], 1);
});

Deno.test("What pictures are asked for goes over linearly on the way from one to another", async () => {
  const [a] = await sampler.requests([1], { hair: [0], eyes: [1], age: [-1] });
  const [b] = await sampler.requests([2], { hair: [2], eyes: [1], age: [1] });
  const [, quarter] = interpolate([a, b], { conditions, frames: 5 });
  assertEquals(quarter.mixes, {
    hair: [{ value: [0], weight: 0.75 }, { value: [2], weight: 0.25 }],
  });
  assertEquals(quarter.values.slice(1), [[1], [-0.5]]);
});

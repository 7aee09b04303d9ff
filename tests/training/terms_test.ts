import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { metricNames, Plugins, termWeights } from "../../training/mod.ts";
import { tinyConditions } from "./tiny.ts";

const sources = { conditions: tinyConditions(), plugins: new Plugins() };

Deno.test("Every term has a weight, 1 unless it is given another", () => {
  const weights = termWeights(sources, { classOn: "both", weights: { "g.adv": 0.5 } });
  assertEquals(weights, {
    "d.adv_real": 1,
    "d.adv_fake": 1,
    "d.class.hair.real": 1,
    "d.class.eyes.real": 1,
    "d.class.hair.fake": 1,
    "d.class.eyes.fake": 1,
    "g.adv": 0.5,
    "g.class.hair": 1,
    "g.class.eyes": 1,
  });
});

Deno.test("Classes on real pictures only leaves out the terms on fakes, unless they are asked for", () => {
  const weights = termWeights(sources, {
    classOn: "real",
    weights: { "d.class.eyes.fake": 0.1 },
  });
  assertEquals([weights["d.class.hair.fake"], weights["d.class.eyes.fake"]], [0, 0.1]);
  assertEquals(metricNames(sources, weights).includes("d.class.hair.fake"), false);
});

Deno.test("A weight for a term that there is not is an error that names those there are", () => {
  assertThrows(
    () => termWeights(sources, { classOn: "real", weights: { adv: 2 } }),
    UserError,
    'There is no loss term "adv": there are d.adv_real, d.adv_fake',
  );
});

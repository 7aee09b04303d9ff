// A slider that is learnt from the pictures themselves: how warm their colours are, red against blue.
//
//   deno task plugin check ./slider.ts                          does it work, and what does it cost?
//   deno task train DATA --out RUN --plugin ./slider.ts         train with it
//   deno task sample RUN --slider 0.1                           draw pictures as warm as that
//
// docs/plugins.md tells what else a plugin can bring.

import { Continuous, definePlugin } from "kao/plugin";
import { mean, slice, square, sub, type Tensor } from "kao/engine";

/** What the slider is asked by, and what this plugin's options and loss terms begin with. */
const name = "slider";

/**
 * How warm pictures `[batch, 3, size, size]` in [-1, 1] are: `[batch]`, from -2 (blue) to 2 (red).
 *
 * It is traced: called once, to build a graph of tensor ops that runs on the GPU in each step.
 */
export function warmth(images: Tensor): Tensor {
  const red = slice(images, [null, [0, 1]]), blue = slice(images, [null, [2, 3]]);
  return mean(sub(red, blue), { dim: [1, 2, 3] });
}

export default definePlugin({
  name,
  version: "0.1.0", // A run goes on only with the version that it began with.
  help: "A slider for how warm the colours of a picture are",
  options: { // --slider.weight, checked before anything starts.
    weight: { type: "number", min: 0, default: 1, help: "Weight of measuring what was drawn" },
  },
  async setup({ weight }, { measure }) {
    // All pictures are measured once, for the range and the frequencies of the slider.
    const condition = Continuous.fromNumbers(name, await measure(warmth), {
      help: "warmth of the colours",
      source: { measure: warmth },
    });
    return {
      // The generator is told a number, and a head of the discriminator recovers it.
      conditions: [condition],
      // What can be measured need not be guessed: pictures that are drawn should be as warm as asked for.
      generatorTerms: {
        measured: { // g.slider.measured in the log.
          weight,
          value: ({ fake }) =>
            mean(square(sub(condition.measure!(fake.images), fake.values[name]))),
        },
      },
    };
  },
});

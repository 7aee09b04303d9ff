// A slider for the hue of pictures, measured from their pixels: no labels are needed.
//
//   deno task train faces --out runs/hue --plugin ./examples/plugins/hue.ts
//   deno task sample runs/hue --hue 30 --count 4

import { abs, add, div, ge, mean, mul, sign, slice, sub, type Tensor, where } from "kao/engine";
import { Continuous, definePlugin } from "kao/plugin";

/** A colour channel's mean over each picture of `[n, 3, size, size]`. */
function channel(images: Tensor, c: number): Tensor {
  return mean(slice(images, [null, [c, c + 1]]), { dim: [1, 2, 3] });
}

/**
 * The hue of each picture's mean colour in degrees, `[n]`: 0 is red, 60 yellow, -60 magenta, 180 cyan. It is the
 * angle around a square rather than a circle, which needs no arc tangent and is never more than 5 degrees off.
 */
function hue(images: Tensor): Tensor {
  const [r, g, b] = [0, 1, 2].map((c) => channel(images, c));
  const red = sub(r, mul(add(g, b), 0.5)), green = mul(sub(g, b), Math.sqrt(3) / 2);
  const side = div(green, add(add(abs(red), abs(green)), 1e-6));
  const behind = sub(mul(sign(green), 2), side);
  return mul(where(ge(red, 0), side, behind), 90);
}

export default definePlugin({
  name: "hue",
  version: "1.0.0",
  help: "A slider for the hue of whole pictures, measured from their pixels",
  async setup(_options, { measure }) {
    const numbers = await measure(hue);
    const help = "degrees: 0 is red, 60 yellow, -60 magenta";
    return {
      conditions: [Continuous.fromNumbers("hue", numbers, { help, source: { measure: hue } })],
    };
  },
});

// Which forms of a convolution's products on images a CPU may choose between, and the order that the guess, without
// measuring, gives them.

import { conv2dElements, conv2dFlops, type Conv2dGeometry } from "./conv2d_geometry.ts";
import { matmulElements, matmulFlops, type MatmulGeometry } from "./matmul_geometry.ts";
import { tileSides } from "./winograd_geometry.ts";

// Below so many channels, on either side, filtering comes last: what it transforms serves few products. Where the
// result comes in parities, each is transformed apart.
const ENOUGH_CHANNELS = 32, ENOUGH_FOR_PARITIES = 128;

// Operations of a product in the time that a number takes to be transformed, or packed: to be read and stored. As
// measured on llvmpipe: with 60 to 120, what comes first of the forms of 91 products is 1.02 to 1.04 times as slow as the
// fastest, in the mean.
const TRANSFORM_FLOPS = 75;

/**
 * The forms of a convolution or one of its gradients on images, implicit and by filtering, the best guess first.
 *
 * @param of.terms how many products the direct form adds up for a result.
 * @param of.product the products of filtering tiles of m x m outputs.
 * @param of.parities whether the result of a filtering comes in parities.
 */
export function imageForms(
  g: Conv2dGeometry,
  of: { terms: number; product: (m: number) => MatmulGeometry; parities: boolean },
): string[] {
  const { terms, product, parities } = of;
  const { input, output, weight } = conv2dElements(g);
  const packed = TRANSFORM_FLOPS * (input + output + weight);
  const implicit = { form: "image", flops: conv2dFlops(g) + packed };
  const filtered = tileSides(g, terms).map((m) => {
    const filtering = product(m), { a, b, products } = matmulElements(filtering);
    const transforms = TRANSFORM_FLOPS * (a + b + products);
    return { form: `winograd ${m}`, flops: matmulFlops(filtering) + transforms };
  });
  const few =
    Math.min(g.inChannels, g.outChannels) < (parities ? ENOUGH_FOR_PARITIES : ENOUGH_CHANNELS);
  const byCost = (forms: typeof filtered) => forms.sort((one, other) => one.flops - other.flops);
  const forms = few ? [implicit, ...byCost(filtered)] : byCost([...filtered, implicit]);
  return forms.map(({ form }) => form);
}

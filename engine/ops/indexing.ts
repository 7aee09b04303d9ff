// Choosing by whole numbers: rows of a table, slices of an axis, one-hot vectors.

import { checkWhole, formatShape, isFloat, resolveAxis } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { cast } from "./cast.ts";
import { eq } from "./elementwise.ts";
import { expand, gather, reshape } from "./movement.ts";
import { arange, asTensor } from "./source.ts";
import { unsqueeze } from "./views.ts";

/**
 * Slices of `x` along axis `dim`, in the order that `index` (one axis, i32) names them.
 *
 * @throws {RangeError} where `index` has another number of axes than one.
 */
export function indexSelect(
  x: TensorLike,
  index: TensorLike,
  options: { dim: number },
): Tensor {
  const input = asTensor(x), at = asTensor(index);
  const dim = resolveAxis("indexSelect", options.dim, { shape: input.shape });
  if (at.rank !== 1 || !isIndex(at)) {
    throw new RangeError(
      `Cannot indexSelect tensor ${formatShape(input.shape)} by ${at.dtype} indices ` +
        `${formatShape(at.shape)}: whole numbers along one axis are needed`,
    );
  }
  const along = reshape(at, input.shape.map((_, axis) => axis === dim ? at.size : 1));
  return gather(input, expand(along, input.shape.with(dim, at.size)), { dim });
}

const isIndex = ({ dtype }: Tensor): boolean => !isFloat(dtype) && dtype !== "bool";

/**
 * Rows of `weight` [n, d] for an i32 `index` of any shape: [...index, d].
 *
 * @throws {RangeError} where `weight` is no matrix, or `index` holds no whole numbers.
 */
export function embedding(index: TensorLike, weight: TensorLike): Tensor {
  const at = asTensor(index, "i32"), table = asTensor(weight);
  if (table.rank !== 2 || !isIndex(at)) {
    throw new RangeError(
      `Cannot embedding by ${at.dtype} indices ${formatShape(at.shape)} in weight ` +
        `${formatShape(table.shape)}: whole numbers and a weight [n, d] are needed`,
    );
  }
  const rows = indexSelect(table, reshape(at, [at.size]), { dim: 0 });
  return reshape(rows, [...at.shape, ...table.shape.slice(1)]);
}

/**
 * For each whole number of `index`, a vector (f32) of `numClasses` zeros with a 1 at that place:
 * [...index, numClasses]. A number out of range gives zeros alone.
 *
 * @throws {TypeError} where `index` holds no whole numbers.
 */
export function oneHot(index: TensorLike, numClasses: number): Tensor {
  const at = asTensor(index, "i32");
  checkWhole("oneHot", { numClasses }, { shape: at.shape });
  if (!isIndex(at)) {
    throw new TypeError(
      `Cannot oneHot ${at.dtype} tensor ${formatShape(at.shape)}: whole numbers are needed`,
    );
  }
  return cast(eq(unsqueeze(cast(at, "i32"), at.rank), arange(numClasses)), "f32");
}

import { cast, div, sub, type Tensor } from "../engine/mod.ts";

/** Pictures as networks take them, in [-1, 1], from bytes. */
export function fromBytes(bytes: Tensor): Tensor {
  return sub(div(cast(bytes, "f32"), 127.5), 1);
}

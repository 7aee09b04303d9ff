// Random graphs, with gradients and variables, for what must not change what is computed.

import {
  add,
  amax,
  concat,
  exp,
  expand,
  flip,
  grad,
  leakyRelu,
  matmul,
  maximum,
  moments,
  mul,
  neg,
  pad,
  permute,
  relu,
  reshape,
  sigmoid,
  slice,
  sub,
  sum,
  tanh,
  type Tensor,
  tensor,
  Variable,
} from "../../engine/mod.ts";

/** Whole numbers from 0 to n - 1, the same in each run. */
function dice(seed: number): (n: number) => number {
  let state = seed * 2654435761 >>> 0;
  return (n) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 >>> 0;
    return (state >>> 8) % n;
  };
}

const ROWS = 6, COLUMNS = 10;

/** Every op takes and gives a [6, 10] matrix, so that any of them fit together. */
const steps: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x, y) => add(x, y),
  (x, y) => sub(x, mul(y, 0.5)),
  (x, y) => mul(tanh(x), y),
  (x, y) => maximum(x, y),
  (x) => neg(relu(x)),
  (x) => leakyRelu(sub(x, 0.1), { negativeSlope: 0.2 }),
  (x) => sigmoid(x),
  (x) => exp(mul(sigmoid(x), -1)),
  (x) => mul(x, expand(sum(x, { dim: 1, keepdim: true }), [ROWS, COLUMNS])),
  (x) => sub(x, amax(x, { dim: 0, keepdim: true })),
  (x) => {
    const { mean, variance } = moments(x, { dim: [1] });
    return sub(mul(sub(x, mean), 0.3), mul(variance, 0.01));
  },
  (x, y) => mul(matmul(x, matmul(permute(y, [1, 0]), x)), 0.02),
  (x) => reshape(permute(reshape(x, [3, 2, COLUMNS]), [1, 0, 2]), [ROWS, COLUMNS]),
  (x) => pad(slice(x, [[1, 5], [0, 10, 2]]), [[2, 0], [0, 5]]),
  (x, y) => concat([slice(x, [null, [3, null]]), slice(y, [null, [0, 3]])], { dim: 1 }),
  (x) => flip(x, [0, 1]),
  (x) => tanh(mul(x, 0.7)),
];

/** A program and the variables that it is about. */
export interface Sample {
  readonly outputs: Tensor[];
  readonly assignments: Map<Variable, Tensor>;
  readonly variables: Variable[];
}

/** A graph of `length` ops over two variables and a constant, its gradients, and new values of both. */
export function sample(seed: number, length: number): Sample {
  const roll = dice(seed);
  const matrix = (): number[] =>
    Array.from({ length: ROWS * COLUMNS }, () => roll(2001) / 1000 - 1);
  const variables = [0, 1].map(() => new Variable(matrix(), [ROWS, COLUMNS]));
  const nodes = [...variables.map((v) => v.value), tensor(matrix(), [ROWS, COLUMNS])];
  for (let i = 0; i < length; i++) {
    const pick = (): Tensor => nodes[Math.max(0, nodes.length - 1 - roll(5))];
    nodes.push(steps[roll(steps.length)](pick(), pick()));
  }
  const last = nodes[nodes.length - 1];
  const loss = sum(mul(tanh(mul(last, 0.1)), nodes[nodes.length - 2]));
  const values = variables.map((v) => v.value);
  const gradients = grad(loss, values, { unused: "zeros" });
  const [curvature] = grad(sum(mul(gradients[0], tanh(gradients[0]))), [values[0]], {
    unused: "zeros",
  });
  return {
    outputs: [last, loss, ...gradients, curvature],
    assignments: new Map([
      [variables[0], sub(values[0], mul(gradients[0], 0.01))],
      [variables[1], add(flip(values[0], [0]), values[1])],
    ]),
    variables,
  };
}

import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  add,
  cos,
  Device,
  erf,
  exp,
  expm1,
  grad,
  log,
  log1p,
  pow,
  read,
  sigmoid,
  sin,
  softplus,
  sum,
  tanh,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";

await Device.open();

/** The error function by its series, and its continued fraction where that converges too slowly. */
function exactErf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let total = 0, term = a;
    for (let k = 0; k < 80; k++) {
      total += term / (2 * k + 1);
      term *= -a * a / (k + 1);
    }
    return Math.sign(x) * total * 2 / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

interface Range {
  readonly name: string;
  readonly fn: (x: Tensor) => Tensor;
  readonly exact: (x: number) => number;
  readonly from: number;
  readonly to: number;
  /** The largest relative error that is allowed; 4e-7 where left out. */
  readonly limit?: number;
  /** Values below this count as this large: relative error has no meaning at a root. */
  readonly floor?: number;
}

const RANGES: Range[] = [
  { name: "exp", fn: exp, exact: Math.exp, from: -80, to: 88 },
  { name: "expm1", fn: expm1, exact: Math.expm1, from: -2, to: 2 },
  { name: "expm1 near 0", fn: expm1, exact: Math.expm1, from: -1e-3, to: 1e-3 },
  { name: "log", fn: log, exact: Math.log, from: 1e-3, to: 50 },
  { name: "log near 1", fn: log, exact: Math.log, from: 0.999, to: 1.001 },
  { name: "log of large numbers", fn: log, exact: Math.log, from: 1e30, to: 3e38 },
  { name: "log1p", fn: log1p, exact: Math.log1p, from: -0.9, to: 9 },
  { name: "log1p near 0", fn: log1p, exact: Math.log1p, from: -1e-3, to: 1e-3 },
  { name: "tanh", fn: tanh, exact: Math.tanh, from: -12, to: 12 },
  { name: "tanh near 0", fn: tanh, exact: Math.tanh, from: -1e-3, to: 1e-3 },
  { name: "sin", fn: sin, exact: Math.sin, from: -7, to: 7, floor: 0.1 },
  { name: "cos", fn: cos, exact: Math.cos, from: -7, to: 7, floor: 0.1 },
  { name: "sin of many turns", fn: sin, exact: Math.sin, from: 900, to: 1000, floor: 0.1 },
  { name: "erf", fn: erf, exact: exactErf, from: -5, to: 5 },
  { name: "erf near 0", fn: erf, exact: exactErf, from: -1e-3, to: 1e-3 },
  {
    name: "sigmoid",
    fn: sigmoid,
    exact: (x) => 1 / (1 + Math.exp(-x)),
    from: -60,
    to: 60,
  },
  {
    name: "softplus",
    fn: softplus,
    exact: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    from: -60,
    to: 60,
  },
  // The exponent's rounding grows with the size of the logarithm.
  {
    name: "a power",
    fn: (x) => pow(x, 1.7),
    exact: (x) => x ** 1.7,
    from: 0.01,
    to: 100,
    limit: 2e-6,
  },
];

Deno.test("elementary functions are right to the last digits of a float, near their roots too", async () => {
  const count = 4001;
  const inputs = RANGES.map(({ from, to }) =>
    Float32Array.from({ length: count }, (_, i) => from + (to - from) * i / (count - 1))
  );
  const outputs = await read(RANGES.map(({ fn }, k) => fn(tensor(inputs[k]))));
  const failures = RANGES.flatMap(({ name, exact, floor = 1e-30, limit = 4e-7 }, k) => {
    let worst = 0, at = 0;
    inputs[k].forEach((x, i) => {
      const want = exact(x);
      const error = Math.abs(outputs[k][i] - want) / Math.max(Math.abs(want), floor);
      if (!(error <= worst)) [worst, at] = [error, x];
    });
    return worst <= limit ? [] : [`${name}: off by ${worst} at ${at}`];
  });
  assertEquals(failures, []);
});

Deno.test("functions of numbers beyond their range saturate, and of no number give none", async () => {
  const [e, t, s, p] = await read([
    exp(tensor([-1000, 1000, NaN])),
    tanh(tensor([-1e30, 1e30, NaN])),
    sigmoid(tensor([-1000, 1000, NaN])),
    softplus(tensor([-1000, 1000])),
  ]);
  assertEquals([e[0], e[1] > 3e38, e[2]], [0, true, NaN]);
  assertEquals([...t], [-1, 1, NaN]);
  assertEquals([s[0] < 1e-38, s[1], s[2]], [true, 1, NaN]);
  assertEquals([...p], [0, 1000]);
});

Deno.test("logarithms are minus infinity at 0, and no number below it and of no number", async () => {
  const [l, l1, smallest] = await read([
    log(tensor([0, -0, -1e-30, -1, -3e38, NaN])),
    log1p(tensor([-1, -1.5, NaN])),
    log(tensor([2 ** -126])),
  ]);
  assertEquals([...l], [-Infinity, -Infinity, NaN, NaN, NaN, NaN]);
  assertEquals([...l1], [-Infinity, NaN, NaN]);
  assertAlmostEquals(smallest[0], -126 * Math.LN2, 1e-5);
});

Deno.test("derivatives of a power are numbers where the base is 0, of second order too", async () => {
  const base = tensor([0, 0, 2]), exponent = tensor([2, 3, 2]);
  const power = pow(base, exponent);
  const [byBase, byExponent] = grad(sum(power), [base, exponent]);
  const second = grad(add(sum(byBase), sum(byExponent)), [base, exponent]);
  const [first, last, ...others] = await read([byBase, byExponent, ...second]);
  assertEquals([...first], [0, 0, 4]);
  assertEquals([...last.subarray(0, 2)], [0, 0]);
  assertAlmostEquals(last[2], 4 * Math.LN2, 1e-5);
  assertEquals(others.every((x) => x.every(Number.isFinite)), true);
});

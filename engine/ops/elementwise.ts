// Arithmetic element by element, with broadcasting. Each op is one line: its WGSL and its derivative.

import { type DType, formatShape, sameShape, type Shape } from "../dtype.ts";
import type { Derivative, PointwiseOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { expand } from "./movement.ts";
import { asFloat, cast, castOp, widened } from "./cast.ts";
import { asTensor, canHold, full } from "./source.ts";

type Rule = (g: Tensor, y: Tensor, ...inputs: Tensor[]) => (Tensor | null)[];

interface Description {
  /** Arithmetic in loads from memory; simple operations are nearly free. */
  cost?: number;
  /** The function of the shader library that the expression calls. */
  library?: string;
}

const TRANSCENDENTAL = 1;

function define(
  name: string,
  expression: (...inputs: string[]) => string,
  rule?: Rule,
  options: Description = {},
): PointwiseOp {
  const derivative: Derivative | undefined = rule && ((g, y) => rule(g, y, ...y.inputs));
  return {
    name,
    kind: "pointwise",
    elementwise: true,
    cost: options.cost ?? 0.1,
    derivative,
    emit(reader, index, node) {
      if (options.library) reader.use(options.library);
      return expression(...node.inputs.map((input) => reader.read(input, index)));
    },
  };
}

/** The shape that two shapes broadcast to, or undefined where they do not. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 1; axis <= rank; axis++) {
    const x = a[a.length - axis] ?? 1, y = b[b.length - axis] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.unshift(Math.max(x, y));
  }
  return shape;
}

const FLOATS: readonly DType[] = ["f32"];
const NUMBERS: readonly DType[] = ["f32", "i32", "u32"];
const ORDERED: readonly DType[] = [...NUMBERS, "u8"];
const ALL: readonly DType[] = [...ORDERED, "bool"];

/**
 * Operands as tensors of one type: numbers take the type of the tensor beside them, f16 becomes f32.
 *
 * @throws {TypeError} where types differ or are none of `allowed`, or hold no such number.
 */
function operands(name: string, xs: readonly TensorLike[], allowed: readonly DType[]): Tensor[] {
  const given = xs.map((x) => typeof x === "number" ? x : widened(x));
  const dtype = given.find((x) => typeof x !== "number")?.dtype ?? "f32";
  const fail = (why: string): TypeError => {
    const list = given.map((x) =>
      typeof x === "number" ? x : `${x.dtype} tensor ${formatShape(x.shape)}`
    );
    return new TypeError(`Cannot ${name} ${list.join(" and ")}: ${why}`);
  };
  for (const x of given) {
    if (typeof x === "number") {
      if (!canHold(dtype, x)) throw fail(`${dtype} has no number ${x}; cast the tensor`);
    } else if (x.dtype !== dtype) throw fail("the types differ; cast one of them");
  }
  if (!allowed.includes(dtype)) throw fail(`${allowed.join(" or ")} is needed; cast them`);
  return given.map((x) => asTensor(x, dtype));
}

function broadcast(name: string, tensors: readonly Tensor[]): Tensor[] {
  let shape: Shape = [];
  for (const x of tensors) {
    const joined = broadcastShapes(shape, x.shape);
    if (!joined) {
      throw new RangeError(
        `Cannot ${name} tensors of shapes ${
          tensors.map((t) => formatShape(t.shape)).join(" and ")
        }: lengths must be equal or 1, counted from the last axis`,
      );
    }
    shape = joined;
  }
  return tensors.map((x) => sameShape(x.shape, shape) ? x : expand(x, shape));
}

function apply(
  op: PointwiseOp,
  xs: readonly TensorLike[],
  types: { of: readonly DType[]; gives?: DType },
): Tensor {
  const inputs = broadcast(op.name, operands(op.name, xs, types.of));
  return new Tensor(op, inputs, {}, inputs[0].shape, types.gives ?? inputs[0].dtype);
}

function floating(op: PointwiseOp, x: TensorLike): Tensor {
  const input = asFloat(op.name, x);
  return new Tensor(op, [input], {}, input.shape, "f32");
}

// ---- two operands ------------------------------------------------------------------------------

const addOp = define("add", (a, b) => `(${a} + ${b})`, (g) => [g, g]);
const subOp = define("sub", (a, b) => `(${a} - ${b})`, (g) => [g, neg(g)]);
const mulOp = define("mul", (a, b) => `(${a} * ${b})`, (g, _, a, b) => [mul(g, b), mul(g, a)]);
const divOp = define(
  "div",
  (a, b) => `(${a} / ${b})`,
  (g, y, _a, b) => [div(g, b), neg(div(mul(g, y), b))],
  { cost: 0.3 },
);
const powOp = define(
  "pow",
  (a, b) => `kao_pow(${a}, ${b})`,
  // Where the base is 0, the logarithm sees a 1: 0 times an infinite one is no number.
  (g, y, a, b) => [
    mul(g, mul(b, pow(a, sub(b, 1)))),
    mul(g, mul(y, log(where(eq(a, 0), 1, a)))),
  ],
  { cost: TRANSCENDENTAL, library: "math" },
);
// A tie shares the gradient in halves.
const share = (g: Tensor, wins: Tensor, ties: Tensor): Tensor =>
  mul(g, where(ties, 0.5, cast(wins, "f32")));
const maximumOp = define(
  "maximum",
  (a, b) => `max(${a}, ${b})`,
  (g, _, a, b) => [share(g, gt(a, b), eq(a, b)), share(g, lt(a, b), eq(a, b))],
);
const minimumOp = define(
  "minimum",
  (a, b) => `min(${a}, ${b})`,
  (g, _, a, b) => [share(g, lt(a, b), eq(a, b)), share(g, gt(a, b), eq(a, b))],
);

/** `a + b`, broadcast. */
export const add = (a: TensorLike, b: TensorLike): Tensor => apply(addOp, [a, b], { of: NUMBERS });
/** `a - b`, broadcast. */
export const sub = (a: TensorLike, b: TensorLike): Tensor => apply(subOp, [a, b], { of: NUMBERS });
/** `a * b`, broadcast. */
export const mul = (a: TensorLike, b: TensorLike): Tensor => apply(mulOp, [a, b], { of: NUMBERS });
/** `a / b`, broadcast; f32, so that no quotient loses its fraction unnoticed. */
export const div = (a: TensorLike, b: TensorLike): Tensor => apply(divOp, [a, b], { of: FLOATS });
/** `a` to the power `b` for positive `a`; a whole number as `b` allows any `a`. */
export function pow(a: TensorLike, b: TensorLike): Tensor {
  return typeof b === "number" && typeof a !== "number"
    ? powScalar(asFloat("pow", a), b)
    : apply(powOp, [a, b], { of: FLOATS });
}
/** The larger of two; a tie shares the gradient in halves. */
export const maximum = (a: TensorLike, b: TensorLike): Tensor =>
  apply(maximumOp, [a, b], { of: NUMBERS });
/** The smaller of two; a tie shares the gradient in halves. */
export const minimum = (a: TensorLike, b: TensorLike): Tensor =>
  apply(minimumOp, [a, b], { of: NUMBERS });

// ---- comparisons -------------------------------------------------------------------------------

const comparison = (name: string, sign: string): PointwiseOp =>
  define(name, (a, b) => `(${a} ${sign} ${b})`);
const eqOp = comparison("eq", "==");
const neOp = comparison("ne", "!=");
const ltOp = comparison("lt", "<");
const leOp = comparison("le", "<=");
const gtOp = comparison("gt", ">");
const geOp = comparison("ge", ">=");

/** Where `a == b`. */
export const eq = (a: TensorLike, b: TensorLike): Tensor =>
  apply(eqOp, [a, b], { of: ALL, gives: "bool" });
/** Where `a != b`. */
export const ne = (a: TensorLike, b: TensorLike): Tensor =>
  apply(neOp, [a, b], { of: ALL, gives: "bool" });
/** Where `a < b`. */
export const lt = (a: TensorLike, b: TensorLike): Tensor =>
  apply(ltOp, [a, b], { of: ORDERED, gives: "bool" });
/** Where `a <= b`. */
export const le = (a: TensorLike, b: TensorLike): Tensor =>
  apply(leOp, [a, b], { of: ORDERED, gives: "bool" });
/** Where `a > b`. */
export const gt = (a: TensorLike, b: TensorLike): Tensor =>
  apply(gtOp, [a, b], { of: ORDERED, gives: "bool" });
/** Where `a >= b`. */
export const ge = (a: TensorLike, b: TensorLike): Tensor =>
  apply(geOp, [a, b], { of: ORDERED, gives: "bool" });

const whereOp = define(
  "where",
  (c, a, b) => `select(${b}, ${a}, ${c})`,
  (g, _, c) => [null, where(c, g, 0), where(c, 0, g)],
);

/** `a` where `condition` holds, else `b`, broadcast. `condition` is bool. */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const test = asTensor(condition, "bool");
  if (test.dtype !== "bool") {
    throw new TypeError(
      `Cannot where by ${test.dtype} tensor ${formatShape(test.shape)}: the condition must be bool`,
    );
  }
  const inputs = broadcast("where", [test, ...operands("where", [a, b], ALL)]);
  return new Tensor(whereOp, inputs, {}, inputs[0].shape, inputs[1].dtype);
}

// ---- one operand -------------------------------------------------------------------------------

const transcendental = { cost: TRANSCENDENTAL, library: "math" };
const ops = {
  neg: define("neg", (x) => `(-${x})`, (g) => [neg(g)]),
  exp: define("exp", (x) => `kao_exp(${x})`, (g, y) => [mul(g, y)], transcendental),
  expm1: define(
    "expm1",
    (x) => `kao_expm1(${x})`,
    (g, y) => [mul(g, add(y, 1))],
    transcendental,
  ),
  log: define("log", (x) => `kao_log(${x})`, (g, _, x) => [div(g, x)], transcendental),
  log1p: define(
    "log1p",
    (x) => `kao_log1p(${x})`,
    (g, _, x) => [div(g, add(x, 1))],
    transcendental,
  ),
  sqrt: define("sqrt", (x) => `sqrt(${x})`, (g, y) => [div(mul(g, 0.5), y)], { cost: 0.3 }),
  rsqrt: define(
    "rsqrt",
    (x) => `(1.0f / sqrt(${x}))`,
    (g, y, x) => [mul(g, div(mul(y, -0.5), x))],
    { cost: 0.5 },
  ),
  abs: define("abs", (x) => `abs(${x})`, (g, _, x) => [mul(g, sign(x))]),
  sign: define("sign", (x) => `sign(${x})`, (g) => [mul(g, 0)]),
  floor: define("floor", (x) => `floor(${x})`, (g) => [mul(g, 0)]),
  square: define("square", (x) => `(${x} * ${x})`, (g, _, x) => [mul(g, mul(x, 2))]),
  reciprocal: define(
    "reciprocal",
    (x) => `(1.0f / ${x})`,
    (g, y) => [neg(mul(g, square(y)))],
    { cost: 0.3 },
  ),
  sin: define("sin", (x) => `kao_sin(${x})`, (g, _, x) => [mul(g, cos(x))], transcendental),
  cos: define("cos", (x) => `kao_cos(${x})`, (g, _, x) => [neg(mul(g, sin(x)))], transcendental),
  tanh: define(
    "tanh",
    (x) => `kao_tanh(${x})`,
    (g, y) => [mul(g, sub(1, square(y)))],
    transcendental,
  ),
  sigmoid: define(
    "sigmoid",
    (x) => `(1.0f / (1.0f + kao_exp(-${x})))`,
    (g, y) => [mul(g, mul(y, sub(1, y)))],
    transcendental,
  ),
  softplus: define(
    "softplus",
    (x) => `(max(${x}, 0.0f) + kao_log1p(kao_exp(-abs(${x}))))`,
    (g, _, x) => [mul(g, sigmoid(x))],
    { cost: 2, library: "math" },
  ),
  erf: define(
    "erf",
    (x) => `kao_erf(${x})`,
    (g, _, x) => [mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))],
    transcendental,
  ),
  relu: define("relu", (x) => `max(${x}, 0.0f)`, (g, y) => [where(gt(y, 0), g, 0)]),
};

/** `-x`. */
export function neg(x: TensorLike): Tensor {
  const [input] = operands("neg", [x], ["f32", "i32"]);
  return new Tensor(ops.neg, [input], {}, input.shape, input.dtype);
}
/** `e^x`. */
export const exp = (x: TensorLike): Tensor => floating(ops.exp, x);
/** `e^x - 1`, accurate near 0. */
export const expm1 = (x: TensorLike): Tensor => floating(ops.expm1, x);
/** The natural logarithm. */
export const log = (x: TensorLike): Tensor => floating(ops.log, x);
/** `log(1 + x)`, accurate near 0. */
export const log1p = (x: TensorLike): Tensor => floating(ops.log1p, x);
/** The square root. */
export const sqrt = (x: TensorLike): Tensor => floating(ops.sqrt, x);
/** `1 / sqrt(x)`. */
export const rsqrt = (x: TensorLike): Tensor => floating(ops.rsqrt, x);
/** The absolute value; derivative 0 at 0. */
export const abs = (x: TensorLike): Tensor => floating(ops.abs, x);
/** -1, 0 or 1. */
export const sign = (x: TensorLike): Tensor => floating(ops.sign, x);
/** The largest whole number not above x; derivative 0. */
export const floor = (x: TensorLike): Tensor => floating(ops.floor, x);
/** `x * x`. */
export const square = (x: TensorLike): Tensor => floating(ops.square, x);
/** `1 / x`. */
export const reciprocal = (x: TensorLike): Tensor => floating(ops.reciprocal, x);
/** The sine of radians. */
export const sin = (x: TensorLike): Tensor => floating(ops.sin, x);
/** The cosine of radians. */
export const cos = (x: TensorLike): Tensor => floating(ops.cos, x);
/** The hyperbolic tangent. */
export const tanh = (x: TensorLike): Tensor => floating(ops.tanh, x);
/** `1 / (1 + e^-x)`. */
export const sigmoid = (x: TensorLike): Tensor => floating(ops.sigmoid, x);
/** `log(1 + e^x)`, without overflow. */
export const softplus = (x: TensorLike): Tensor => floating(ops.softplus, x);
/** The error function. */
export const erf = (x: TensorLike): Tensor => floating(ops.erf, x);
/** `max(x, 0)`; derivative 0 at 0. */
export const relu = (x: TensorLike): Tensor => floating(ops.relu, x);

/** `x` where positive, else `negativeSlope * x`; derivative `negativeSlope` at 0. */
export function leakyRelu(x: TensorLike, options: { negativeSlope?: number } = {}): Tensor {
  const slope = options.negativeSlope ?? 0.01;
  const input = asFloat("leakyRelu", x);
  if (!Number.isFinite(slope)) {
    throw new RangeError(
      `Cannot leakyRelu tensor ${formatShape(input.shape)} with slope ${slope}: it is not finite`,
    );
  }
  const op = slope > 0 ? leakyReluOp : steepReluOp;
  return new Tensor(op, [input], { slope }, input.shape, input.dtype);
}

function leaky(name: string, decider: (y: Tensor) => Tensor): PointwiseOp {
  return {
    name,
    kind: "pointwise",
    elementwise: true,
    cost: 0.1,
    emit(reader, index, node) {
      const x = reader.read(node.inputs[0], index);
      return `select(${node.attributes.slope} * ${x}, ${x}, ${x} > 0.0f)`;
    },
    derivative: (g, y) => [where(gt(decider(y), 0), g, mul(g, y.attributes.slope))],
  };
}
// With a positive slope the sign of the result decides, so that backward need not keep the input.
const leakyReluOp = leaky("leakyRelu", (y) => y);
const steepReluOp = leaky("leakyRelu", (y) => y.inputs[0]);

/** `x` to the power of a number: whole ones by multiplication, so that negative bases work. */
function powScalar(x: Tensor, exponent: number): Tensor {
  if (!Number.isFinite(exponent)) {
    throw new RangeError(
      `Cannot pow tensor ${formatShape(x.shape)} by ${exponent}: it is not finite`,
    );
  }
  if (exponent === 0) return full(x.shape, 1);
  if (exponent === 1) return x;
  if (exponent === 0.5) return sqrt(x);
  return new Tensor(powScalarOp, [x], { exponent }, x.shape, x.dtype);
}

const powScalarOp: PointwiseOp = {
  name: "pow",
  kind: "pointwise",
  elementwise: true,
  cost: TRANSCENDENTAL,
  emit(reader, index, node) {
    reader.use("math");
    const x = reader.read(node.inputs[0], index);
    const exponent: number = node.attributes.exponent;
    if (!Number.isInteger(exponent) || Math.abs(exponent) > 16) {
      return Number.isInteger(exponent)
        ? `(kao_pow(abs(${x}), f32(${exponent})) * ${
          exponent % 2 === 0 ? "1.0f" : `select(1.0f, -1.0f, ${x} < 0.0f)`
        })`
        : `kao_pow(${x}, f32(${exponent}))`;
    }
    const product = new Array(Math.abs(exponent)).fill(x).join(" * ");
    return exponent < 0 ? `(1.0f / (${product}))` : `(${product})`;
  },
  derivative(g, node) {
    const exponent: number = node.attributes.exponent;
    return [mul(g, mul(pow(node.inputs[0], exponent - 1), exponent))];
  },
};

/** The same value, kept as a node of its own: a copy in memory of its own. */
export const copyOp: PointwiseOp = define("copy", (x) => x, (g) => [g]);

/** The op of {@linkcode detach}, which plans leave out. */
export const detachOp: PointwiseOp = define("detach", (x) => x);

/** The same value, constant for differentiation. */
export function detach(x: TensorLike): Tensor {
  const input = asTensor(x);
  return new Tensor(detachOp, [input], {}, input.shape, input.dtype);
}

/** The ops whose algebra the compiler knows. */
export const arithmetic = {
  add: addOp,
  sub: subOp,
  mul: mulOp,
  div: divOp,
  neg: ops.neg,
  cast: castOp,
} as const;

// Random chains of moves, broadcasting arithmetic and reductions against float64.

import {
  add,
  amax,
  argmax,
  div,
  exp,
  flip,
  gt,
  leakyRelu,
  maximum,
  minimum,
  moments,
  mul,
  neg,
  pad,
  permute,
  read,
  relu,
  sigmoid,
  sizeOf,
  slice,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  type Tensor,
  tensor,
  where,
} from "../../engine/mod.ts";
import { breadth } from "../breadth.ts";
import { device } from "../engine/device.ts";
import { at, build, errorOf, fold, lengthOf, type Reference } from "./array.ts";
import { Draw } from "./draw.ts";
import { checkFamily, type Outcome } from "./family.ts";

await device();

/** A graph and what it must come to. */
interface Pair {
  readonly node: Tensor;
  readonly want: Reference;
}

function leaf(draw: Draw, shape: readonly number[], bounds = { low: 0.5, high: 2 }): Pair {
  const data = draw.numbers(sizeOf(shape), bounds);
  if (draw.chance(0.5)) data.forEach((value, i) => data[i] = i % 2 === 0 ? value : -value);
  return { node: tensor(data, shape), want: { shape, data } };
}

const binary: [(a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number][] = [
  [add, (a, b) => a + b],
  [sub, (a, b) => a - b],
  [mul, (a, b) => a * b],
  [maximum, Math.max],
  [minimum, Math.min],
  [(a, b) => div(a, add(square(b), 1)), (a, b) => a / (b * b + 1)],
  [(a, b) => where(gt(a, b), b, mul(a, 2)), (a, b) => a > b ? b : 2 * a],
];

const unary: [(x: Tensor) => Tensor, (x: number) => number][] = [
  [neg, (x) => -x],
  [relu, (x) => Math.max(x, 0)],
  [tanh, Math.tanh],
  [sigmoid, (x) => 1 / (1 + Math.exp(-x))],
  [(x) => exp(neg(square(x))), (x) => Math.exp(-x * x)],
  [(x) => sqrt(add(square(x), 0.25)), (x) => Math.sqrt(x * x + 0.25)],
  [(x) => leakyRelu(x, { negativeSlope: 0.2 }), (x) => x > 0 ? x : 0.2 * x],
];

/** A shape that broadcasts to `shape`. */
function narrowed(draw: Draw, shape: readonly number[]): number[] {
  const kept = shape.slice(draw.chance(0.3) ? draw.whole(0, shape.length) : 0);
  return kept.map((length) => draw.chance(0.3) ? 1 : length);
}

function map(x: Pair, [op, number]: (typeof unary)[number]): Pair {
  return {
    node: op(x.node),
    want: build(x.want.shape, (place) => number(at(x.want, place))),
  };
}

const moves: ((draw: Draw, x: Pair) => Pair)[] = [
  (draw, { node, want }) => {
    const dims = draw.order(want.shape.length);
    return {
      node: permute(node, dims),
      want: build(
        dims.map((dim) => want.shape[dim]),
        (place) => at(want, want.shape.map((_, dim) => place[dims.indexOf(dim)])),
      ),
    };
  },
  (draw, { node, want }) => {
    const ranges = want.shape.map((length) => {
      const start = draw.whole(0, length - 1);
      return [start, draw.whole(start + 1, length), draw.whole(1, 3)] as const;
    });
    return {
      node: slice(node, ranges),
      want: build(
        ranges.map(([start, stop, step]) => Math.ceil((stop - start) / step)),
        (place) => at(want, place.map((c, axis) => ranges[axis][0] + c * ranges[axis][2])),
      ),
    };
  },
  (draw, { node, want }) => {
    const dims = draw.axes(want.shape.length);
    return {
      node: flip(node, dims),
      want: build(
        want.shape,
        (place) =>
          at(want, place.map((c, axis) => dims.includes(axis) ? want.shape[axis] - 1 - c : c)),
      ),
    };
  },
  (draw, { node, want }) => {
    const pads = want.shape.map((length) =>
      [draw.whole(length > 2 ? -1 : 0, 3), draw.whole(0, 2)] as const
    );
    return {
      node: pad(node, pads, { value: 0.75 }),
      want: build(want.shape.map((n, axis) => n + pads[axis][0] + pads[axis][1]), (place) => {
        const from = place.map((c, axis) => c - pads[axis][0]);
        return from.every((c, axis) => c >= 0 && c < want.shape[axis]) ? at(want, from) : 0.75;
      }),
    };
  },
];

/** What a random chain of arithmetic over broadcast operands and moves is. */
function chain(draw: Draw, shape: readonly number[], length: number): Pair {
  let x = leaf(draw, shape);
  for (let i = 0; i < length; i++) {
    if (draw.chance(0.3)) x = map(x, draw.pick(unary));
    else if (draw.chance(0.4) && x.want.shape.length > 0) x = draw.pick(moves)(draw, x);
    else {
      const [op, number] = draw.pick(binary), left = x;
      const right = leaf(draw, narrowed(draw, left.want.shape));
      x = {
        node: op(left.node, right.node),
        want: build(left.want.shape, (p) => number(at(left.want, p), at(right.want, p))),
      };
    }
  }
  return x;
}

async function compare(
  pairs: readonly (Pair & { what: string; least?: number })[],
): Promise<Outcome[]> {
  const numbers = await read(pairs.map(({ node }) => node));
  return pairs.map(({ node, want, what, least }, i) => ({
    what: `${what} ${node}`,
    error: `${node.shape}` === `${want.shape}`
      ? errorOf(numbers[i], want.data, { least })
      : Infinity,
  }));
}

Deno.test("chains of broadcasting arithmetic and moves on random shapes agree with float64", () => {
  const draw = new Draw(1);
  return checkFamily("pointwise", {
    cases: breadth({ gate: 36, all: 48 }),
    limit: 3e-6,
    run: (i) => {
      const shape = draw.shape(i % 6, 4000);
      return compare([{ ...chain(draw, shape, draw.whole(1, 6)), what: `chain from [${shape}]` }]);
    },
  });
});

/** Few long folds, many short ones, and between: kernels differ by both. */
function reductionShape(draw: Draw, i: number): number[] {
  if (i % 6 === 0) return draw.order(2).map((k) => [draw.pick([1, 3]), 70_001][k]);
  if (i % 6 === 1) return draw.order(2).map((k) => [draw.pick([2, 65]), 16_411][k]);
  return draw.shape(draw.whole(1, 5), 60_000);
}

Deno.test("reductions over random axes agree with float64", () => {
  const draw = new Draw(2);
  return checkFamily("reduce", {
    cases: breadth({ gate: 36, all: 48 }),
    limit: 3e-6,
    run(i) {
      const shape = reductionShape(draw, i);
      const x = chain(draw, shape, i % 3 === 0 ? 2 : 0);
      const dim = draw.axes(x.want.shape.length), keepdim = draw.chance(0.5), [axis] = dim;
      const squeezed = ({ shape, data }: Reference, dims: number[]): Reference => ({
        shape: keepdim ? shape : shape.filter((_, k) => !dims.includes(k)),
        data,
      });
      const total = fold(x.want, dim, { initial: 0, combine: (a, b) => a + b });
      const largest = fold(x.want, dim, { initial: -Infinity, combine: Math.max });
      const tops = fold(x.want, [axis], { initial: -Infinity, combine: Math.max });
      const firsts = new Map<string, number>();
      // argmax compares the numbers that the device has: only of leaves are they those of the reference.
      build(x.want.shape, (place) => {
        const key = `${place.with(axis, 0)}`;
        if (!firsts.has(key) && at(x.want, place) === at(tops, place)) firsts.set(key, place[axis]);
        return 0;
      });
      const what = `over ${dim} of [${x.want.shape}]`;
      const sizes = fold(x.want, dim, { initial: 0, combine: (a, b) => a + Math.abs(b) });
      const least = lengthOf(sizes.data);
      return compare([
        {
          node: sum(x.node, { dim, keepdim }),
          want: squeezed(total, dim),
          what: `sum ${what}`,
          least,
        },
        {
          node: amax(x.node, { dim, keepdim }),
          want: squeezed(largest, dim),
          what: `amax ${what}`,
        },
        ...i % 3 === 0 ? [] : [{
          node: argmax(x.node, { dim: axis, keepdim }),
          want: squeezed(build(tops.shape, (place) => firsts.get(`${place}`)!), [axis]),
          what: `argmax over ${axis} of [${x.want.shape}]`,
        }],
      ]);
    },
  });
});

Deno.test("moments over random axes agree with float64, far from 0 too", () => {
  const draw = new Draw(3);
  return checkFamily("moments", {
    cases: breadth({ gate: 18, all: 48 }),
    limit: 2e-5,
    run(i) {
      const shape = reductionShape(draw, i), dim = draw.axes(shape.length);
      const offset = draw.pick([0, 3, 100]);
      const data = draw.numbers(sizeOf(shape), { low: offset - 1, high: offset + 1 });
      const want = { shape, data }, add = (a: number, b: number): number => a + b;
      const over = (x: Reference): Reference => {
        const total = fold(x, dim, { initial: 0, combine: add });
        const count = sizeOf(shape) / sizeOf(total.shape);
        return build(total.shape, (place) => at(total, place) / count);
      };
      const centre = over(want);
      const spread = over(build(shape, (place) => (at(want, place) - at(centre, place)) ** 2));
      const { mean, variance } = moments(tensor(data, shape), { dim });
      const what = `over ${dim} of [${shape}] around ${offset}:`;
      return compare([
        // Found by distances of up to 2, a mean near 0 has no more digits than they have.
        { node: mean, want: centre, what: `mean ${what}`, least: 0.1 },
        { node: variance, want: spread, what: `variance ${what}` },
      ]);
    },
  });
});

// Flat shapes as signed distances: negative inside, positive outside, in the unit of the picture's
// side. Where the exact distance is costly it is a lower bound, and close near the edge.

/** The signed distance of a point to the edge of a shape; y points down. */
export type Shape = (x: number, y: number) => number;

/** `Math.hypot` guards against overflow, which costs several times the square root. */
function norm(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

export function circle(cx: number, cy: number, radius: number): Shape {
  return (x, y) => norm(x - cx, y - cy) - radius;
}

/** An ellipse with its axes upright: the implicit equation over the length of its gradient. */
export function ellipse(cx: number, cy: number, rx: number, ry: number): Shape {
  return (x, y) => {
    const u = (x - cx) / rx;
    const v = (y - cy) / ry;
    const length = norm(u, v);
    const slope = norm(u / rx, v / ry);
    return slope === 0 ? -Math.min(rx, ry) : (length - 1) * length / slope;
  };
}

/** The convex hull of two circles: a lock of hair, a limb, a line with round ends. */
export function lock(
  from: readonly [x: number, y: number, radius: number],
  to: readonly [x: number, y: number, radius: number],
): Shape {
  const [x0, y0, r0] = from;
  const length = norm(to[0] - x0, to[1] - y0);
  const dx = (to[0] - x0) / length;
  const dy = (to[1] - y0) / length;
  // The straight sides lean inwards by the angle of this sine; they touch both circles.
  const sine = (r0 - to[2]) / length;
  const cosine = Math.sqrt(Math.max(0, 1 - sine * sine));
  return (x, y) => {
    const along = (x - x0) * dx + (y - y0) * dy;
    const across = Math.abs((y - y0) * dx - (x - x0) * dy);
    const side = along * cosine - across * sine;
    if (side < 0) return norm(along, across) - r0;
    if (side > length * cosine) return norm(along - length, across) - to[2];
    return along * sine + across * cosine - r0;
  };
}

/** Everything below the curve y = f(x), given the steepest slope that f has. */
export function below(curve: (x: number) => number, steepest: number): Shape {
  const scale = 1 / norm(1, steepest);
  return (x, y) => (curve(x) - y) * scale;
}

/** Everything above the curve y = f(x), given the steepest slope that f has. */
export function above(curve: (x: number) => number, steepest: number): Shape {
  const lower = below(curve, steepest);
  return (x, y) => -lower(x, y);
}

export function union(...shapes: readonly Shape[]): Shape {
  return (x, y) => {
    let nearest = Infinity;
    for (const shape of shapes) nearest = Math.min(nearest, shape(x, y));
    return nearest;
  };
}

export function intersection(...shapes: readonly Shape[]): Shape {
  return (x, y) => {
    let farthest = -Infinity;
    for (const shape of shapes) farthest = Math.max(farthest, shape(x, y));
    return farthest;
  };
}

/** The shape made larger by `amount` on every side. */
export function grow(shape: Shape, amount: number): Shape {
  return (x, y) => shape(x, y) - amount;
}

/** A line of the given thickness along the edge of the shape. */
export function outline(shape: Shape, thickness: number): Shape {
  return (x, y) => Math.abs(shape(x, y)) - thickness / 2;
}

/** The shape turned clockwise about a point, the angle in radians. */
export function rotate(shape: Shape, about: { x: number; y: number; angle: number }): Shape {
  const cosine = Math.cos(about.angle);
  const sine = Math.sin(about.angle);
  return (x, y) => {
    const u = x - about.x;
    const v = y - about.y;
    return shape(about.x + cosine * u + sine * v, about.y + cosine * v - sine * u);
  };
}

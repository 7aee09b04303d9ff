import { assertEquals } from "@std/assert";
import {
  add,
  Device,
  grad,
  mul,
  read,
  type StoredTensor,
  sum,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import { type Case, type Family, readFamily, tensorsOf } from "./cases.ts";
import { type Kind, relativeError, Report, toleranceOf } from "./compare.ts";
import { distances } from "./metrics.ts";
import { operations } from "./operations.ts";
import { trainings } from "./training.ts";

await Device.open();

const programs = { ...trainings, ...distances };

/** A number to compare: computed, and wanted (null: wanted to vanish). */
interface Check {
  readonly kind: Kind;
  readonly name: string;
  readonly got: Tensor;
  readonly want: StoredTensor | null;
}

const upload = ({ data, shape }: StoredTensor): Tensor => tensor(data, shape);

function uploadAll(tensors: Record<string, StoredTensor>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, upload(t)]));
}

/** The result and all derivatives of a case as graphs, beside what they must be. */
function checksOf(family: Family, c: Case): Check[] {
  const inputs = uploadAll(tensorsOf(family, c, "in"));
  const outcome = operations[c.op](inputs, c.attrs);
  const { out, extra } = "out" in outcome ? outcome : { out: outcome, extra: {} };
  const checks: Check[] = [{
    kind: "out",
    name: "out",
    got: out,
    want: family.tensors[`${c.case}/out`],
  }];
  for (const [name, want] of Object.entries(tensorsOf(family, c, "extra"))) {
    checks.push({ kind: "extra", name, got: (extra as Record<string, Tensor>)[name], want });
  }
  if (c.diff.length === 0) return checks;

  const targets = c.diff.map((name) => inputs[name]);
  const cotangent = upload(family.tensors[`${c.case}/cotangent/out`]);
  const gradients = grad(out, targets, { cotangent, unused: "zeros" });
  const derivatives = (kind: "grad" | "grad2", got: readonly Tensor[]): void => {
    c.diff.forEach((name, i) => {
      const vanishes = c[`${kind}_zero`]?.includes(name);
      const want = vanishes ? null : family.tensors[`${c.case}/${kind}/${name}`];
      checks.push({ kind, name, got: got[i], want });
    });
  };
  derivatives("grad", gradients);
  if (!c.second_order) return checks;

  const v = tensorsOf(family, c, "v");
  const products = c.diff.flatMap((name, i) =>
    name in v ? [sum(mul(gradients[i], upload(v[name])))] : []
  );
  const s = products.reduce((a, b) => add(a, b));
  const second = grad(s, [...targets, cotangent], { unused: "zeros" });
  derivatives("grad2", second.slice(0, -1));
  checks.push({
    kind: "jvp",
    name: "out",
    got: second[second.length - 1],
    want: family.tensors[`${c.case}/jvp/out`],
  });
  return checks;
}

async function runCase(name: string, family: Family, c: Case, report: Report): Promise<void> {
  const checks = checksOf(family, c);
  const numbers = await read(checks.map(({ got }) => got));
  checks.forEach(({ kind, name: of, want }, i) => {
    const label = `${c.case}/${kind}/${of}`, got = numbers[i];
    if (want === null) {
      const largest = Math.max(...got.map(Math.abs));
      report.add("vanishing", label, { error: largest, limit: 1e-5 });
    } else {
      const limit = toleranceOf(name, c.op, kind);
      report.add(kind, label, { error: relativeError(got, want), limit });
    }
  });
}

async function runProgram(name: string, family: Family, c: Case, report: Report): Promise<void> {
  const inputs = tensorsOf(family, c, "in"), wanted = tensorsOf(family, c, "extra");
  const results = await programs[c.op](inputs, c.attrs);
  const compare = (of: string, want: StoredTensor, kind: Kind): void => {
    const error = relativeError(results[of], want), limit = toleranceOf(name, c.op, kind);
    report.add(kind, `${c.case}/${of}`, { error, limit });
  };
  compare("out", family.tensors[`${c.case}/out`], "out");
  for (const [of, want] of Object.entries(wanted)) {
    compare(of, want, "extra");
    if (!of.startsWith("final.")) continue;
    // A step moves weights little: what must be right is the movement.
    const start = inputs[of.slice("final.".length)].data;
    const moved = results[of].map((value, i) => value - start[i]);
    const movement = {
      ...want,
      data: want.data.map((value, i) => value - start[i]) as Float32Array<ArrayBuffer>,
    };
    const error = relativeError(moved, movement);
    report.add("movement", `${c.case}/${of}`, { error, limit: 5e-3 });
  }
}

const FAMILIES = {
  elementwise: "arithmetic",
  reduce: "reductions",
  matmul: "matrix products",
  conv2d: "convolutions",
  conv_transpose2d: "transposed convolutions",
  norm: "normalisations",
  spatial: "resampling and pooling",
  shape: "moves and choices of elements",
  composite: "small programs",
  losses: "losses",
  gan_math: "losses and penalties of GANs",
  plugins: "augmentations and discriminators of the built-in plugins",
  optim: "optimisers and averages",
  metrics: "similarities of pictures and distances of features",
  trajectory: "training steps of a whole GAN",
};

for (const [name, subject] of Object.entries(FAMILIES)) {
  Deno.test(`${subject} and their derivatives are PyTorch's`, async () => {
    const family = await readFamily(name), report = new Report();
    for (const c of family.cases) {
      if (Object.hasOwn(programs, c.op)) await runProgram(name, family, c, report);
      else await runCase(name, family, c, report);
    }
    console.log(`${name}: ${report.summary()}`);
    assertEquals(report.failures, []);
  });
}

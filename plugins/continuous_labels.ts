// Sliders: conditions that are numbers, from label columns or measured from the pictures. The discriminator
// recovers them by regression, which is AC-GAN's classifier for numbers; or it judges whether a picture is real
// for a number, by the hard or the soft vicinal loss of Ding, Wang, Xu, Welch, Wang, "CcGAN: Continuous
// Conditional Generative Adversarial Networks for Image Generation", ICLR 2021, section 2.

import {
  abs,
  add,
  amax,
  amin,
  cast,
  lt,
  mean,
  mul,
  slice,
  std,
  sub,
  type Tensor,
} from "kao/engine";
import {
  Continuous,
  type Dataset,
  definePlugin,
  type Plugin,
  UserError,
  type Vicinity,
} from "kao/plugin";

/** What can be measured of pictures `[n, 3, size, size]` in [-1, 1]: `[n]` numbers. */
const programs: Readonly<Record<string, (images: Tensor) => Tensor>> = {
  /** From 0, black, to 1, white. */
  brightness: (images) => add(mul(mean(luma(images), { dim: [1, 2] }), 0.5), 0.5),
  /** The standard deviation of brightness. */
  contrast: (images) => mul(std(luma(images), { dim: [1, 2] }), 0.5),
  /** How far the strongest colour is from the weakest. */
  saturation: (images) =>
    mul(mean(sub(amax(images, { dim: 1 }), amin(images, { dim: 1 })), { dim: [1, 2] }), 0.5),
  /** How much more red than blue there is. */
  warmth: (images) => mul(mean(sub(channel(images, 0), channel(images, 2)), { dim: [1, 2] }), 0.5),
  /** How much neighbours differ. */
  sharpness(images) {
    const grey = luma(images), size = grey.shape[1];
    const down = sub(slice(grey, [null, [1, size]]), slice(grey, [null, [0, size - 1]]));
    const across = sub(
      slice(grey, [null, null, [1, size]]),
      slice(grey, [null, null, [0, size - 1]]),
    );
    return add(mean(abs(down), { dim: [1, 2] }), mean(abs(across), { dim: [1, 2] }));
  },
  /** The share of pixels that are nearly black. */
  darkness: (images) => mean(cast(lt(luma(images), -0.5), "f32"), { dim: [1, 2] }),
};

const channel = (images: Tensor, c: number): Tensor =>
  mean(slice(images, [null, [c, c + 1]]), { dim: 1 });

/** Brightness as ITU-R BT.601 weighs colours, `[n, size, size]`. */
function luma(images: Tensor): Tensor {
  const [r, g, b] = [0, 1, 2].map((c) => channel(images, c));
  return add(add(mul(r, 0.299), mul(g, 0.587)), mul(b, 0.114));
}

const continuousLabels: Plugin = definePlugin({
  name: "continuous-labels",
  version: "1.0.0",
  help: "Sliders, from columns of numbers or measured from the pictures",
  paper: "Ding et al. 2021 (CcGAN), section 2, for the vicinal losses",
  options: {
    columns: { type: "list", help: "Label columns of numbers, a slider each" },
    odd: {
      type: "list",
      help: "Those columns whose number changes its sign in a mirror, such as a tilt",
    },
    measures: {
      type: "list",
      help: `Sliders measured from the pictures: ${Object.keys(programs).join(", ")}`,
    },
    loss: {
      type: "choice",
      choices: ["regression", "hard", "soft"],
      default: "regression",
      help: "Recover the number, or judge pictures for it by a vicinal loss",
    },
    vicinity: {
      type: "number",
      min: 0.001,
      max: 1,
      help: "Width of a vicinity, as a share of half the range; by default by Silverman's rule",
    },
  },
  columns: ({ columns }) => columns ?? [],
  requiredColumns: ({ columns }) => columns ?? [],
  async setup(options, setup) {
    const { columns = [], odd = [], measures = [], loss } = options;
    if (columns.length + measures.length === 0) {
      throw new UserError("there is no slider: name columns, measures, or both");
    }
    const stray = odd.find((name) => !columns.includes(name));
    if (stray !== undefined) {
      throw new UserError(`odd names "${stray}", which is not among columns`);
    }
    // Without a vicinal loss it draws nothing, and needs no random state.
    const vicinity: Vicinity | undefined = loss === "regression"
      ? undefined
      : { ...setup, kind: loss, width: options.vicinity };
    const conditions = columns.map((name) => {
      const { numbers, labels } = numbersOf(setup.data, name);
      return Continuous.fromNumbers(name, Array.from(labels, (label) => numbers[label]), {
        source: { numbers, odd: odd.includes(name) },
        vicinity,
      });
    });
    for (const name of measures) {
      if (!Object.hasOwn(programs, name)) {
        const known = Object.keys(programs).join(", ");
        throw new UserError(`there is no measure "${name}": there are ${known}`);
      }
      const source = { measure: programs[name] };
      const numbers = await setup.measure(programs[name]);
      conditions.push(Continuous.fromNumbers(name, numbers, { source, vicinity }));
    }
    return { conditions };
  },
});

/** The number of each class of a column, and the class of each picture. */
function numbersOf(data: Dataset, name: string): { numbers: number[]; labels: Int32Array } {
  const at = data.columns.findIndex((column) => column.name === name);
  if (at < 0) throw new UserError(`there is no label column "${name}"`);
  const missing = data.labels[at].filter((label) => label < 0).length;
  if (missing > 0) throw new UserError(`${missing} pictures have no number in column "${name}"`);
  const { classes } = data.columns[at];
  const numbers = classes.map(Number);
  const wrong = numbers.findIndex((number) => !Number.isFinite(number));
  if (wrong < 0) return { numbers, labels: data.labels[at] };
  throw new UserError(`label column "${name}" must hold numbers, and holds "${classes[wrong]}"`);
}

export default continuousLabels;

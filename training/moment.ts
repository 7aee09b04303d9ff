import type { Tensor } from "../engine/mod.ts";
import type { Asked, Judged, Step } from "../plugin/mod.ts";
import type { Acgan } from "./acgan.ts";
import { judge, type Verdicts } from "./judge.ts";
import type { ActivePlugin } from "./plugin_setup.ts";

/** Pictures and the values that they have, or were asked for, by condition. */
export interface Described {
  /** `[batch, 3, size, size]` in [-1, 1]. */
  readonly images: Tensor;
  readonly values: Readonly<Record<string, Tensor>>;
}

/** A part of the step, in which one of the networks learns: what loss terms are made of. */
export interface Moment {
  readonly real: Verdicts;
  readonly fake: Verdicts;
  /** The step as a plugin sees it. */
  seenBy(plugin: ActivePlugin): Step;
}

/** The moment at which `network` learns: pictures are augmented and judged by the networks as they are now. */
export function momentOf(
  model: Acgan,
  network: Asked["network"],
  { real, fake }: { real: Described; fake: Described },
): Moment {
  const { plugins } = model;
  const see = ({ images, values }: Described, pictures: Asked["pictures"]): Verdicts =>
    judge(model, { images: plugins.augment(images), values }, { network, pictures });
  let seenReal: Verdicts | undefined;
  const moment = {
    /** Of real pictures the generator's own loss knows nothing: they are judged where a plugin wants them to be. */
    get real(): Verdicts {
      return seenReal ??= see(real, "real");
    },
    fake: undefined! as Verdicts,
    seenBy(plugin: ActivePlugin): Step {
      const judged = (verdicts: Verdicts): Judged => ({
        images: verdicts.images,
        values: verdicts.values,
        get source() {
          return verdicts.source;
        },
        get heads() {
          return verdicts.heads;
        },
        get features() {
          return verdicts.features;
        },
        discriminators: verdicts.further(plugin),
      });
      return {
        fake: judged(moment.fake),
        get real() {
          return judged(moment.real);
        },
        objective: plugins.objective,
        judge: (images, values) =>
          judged(judge(model, { images, values }, { network, pictures: "fake" })),
      };
    },
  };
  // Running statistics see real pictures first.
  if (network === "discriminator") void moment.real.source;
  moment.fake = see(fake, "fake");
  return moment;
}

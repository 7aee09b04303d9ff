// AC-GAN's step as one would write it without plugins, on the engine and the models alone: what the interface
// of plugins is measured against. Same arithmetic, same order.

import {
  Adam,
  add,
  argmax,
  binaryCrossEntropyWithLogits,
  cast,
  concat,
  crossEntropy,
  eq,
  HostGenerator,
  mean,
  oneHot,
  type Tensor,
} from "../../engine/mod.ts";
import {
  AcganDiscriminator,
  AcganGenerator,
  type DiscriminatorWidths,
  type GeneratorWidths,
} from "../../models/mod.ts";

/** Networks and optimisers. */
export interface HandWritten {
  readonly G: AcganGenerator;
  readonly D: AcganDiscriminator;
  /**
   * A step, to be traced: real pictures `[batch, 3, size, size]` in [-1, 1] with their class of each column, and
   * noise `[batch, latent]` with the asked classes, for each network. Returns losses and accuracies.
   */
  step(
    images: Tensor,
    real: readonly Tensor[],
    forD: { z: Tensor; values: readonly Tensor[] },
    forG: { z: Tensor; values: readonly Tensor[] },
  ): Record<string, Tensor>;
}

/** The step for pictures with some label columns, whose classes are taught by real pictures. */
export function handWritten(
  settings: {
    readonly size: number;
    readonly generator: GeneratorWidths;
    readonly discriminator: DiscriminatorWidths;
    readonly lr: number;
    readonly betas: readonly [number, number];
  },
  columns: readonly { readonly name: string; readonly classes: readonly string[] }[],
): HandWritten {
  const generator = new HostGenerator(1);
  const codeSize = columns.reduce((sum, { classes }) => sum + classes.length, 0);
  const heads = Object.fromEntries(columns.map(({ name, classes }) => [name, classes.length]));
  const G = new AcganGenerator(settings.generator, codeSize, { generator });
  const D = new AcganDiscriminator(settings.discriminator, settings.size, { heads, generator });
  const optimG = new Adam(G.namedParameters(), settings);
  const optimD = new Adam(D.namedParameters(), settings);
  const draw = ({ z, values }: { z: Tensor; values: readonly Tensor[] }): Tensor =>
    G.forward(z, concat(values.map((y, i) => oneHot(y, columns[i].classes.length)), { dim: 1 }));
  const total = (losses: readonly Tensor[]): Tensor => losses.reduce((a, b) => add(a, b));

  return {
    G,
    D,
    step(images, real, forD, forG) {
      const drawn = draw(forD);
      const ofReal = D.forward(images), ofFake = D.forward(drawn);
      const lossD = {
        "d.adv_real": binaryCrossEntropyWithLogits(ofReal.source, 1),
        "d.adv_fake": binaryCrossEntropyWithLogits(ofFake.source, 0),
        ...named((name, i) => [
          `d.class.${name}.real`,
          crossEntropy(ofReal.heads[name], real[i]),
        ]),
      };
      const accuracy = (verdict: typeof ofReal, values: readonly Tensor[], pictures: string) =>
        named((name, i) => [
          `accuracy.${name}.${pictures}`,
          mean(cast(eq(argmax(verdict.heads[name], { dim: 1 }), values[i]), "f32")),
        ]);
      const accuracies = {
        ...accuracy(ofReal, real, "real"),
        ...accuracy(ofFake, forD.values, "fake"),
      };
      optimD.minimize(total(Object.values(lossD)));

      const judged = D.forward(draw(forG));
      const lossG = {
        "g.adv": binaryCrossEntropyWithLogits(judged.source, 1),
        ...named((
          name,
          i,
        ) => [`g.class.${name}`, crossEntropy(judged.heads[name], forG.values[i])]),
      };
      optimG.minimize(total(Object.values(lossG)));
      return { ...lossD, ...lossG, ...accuracies };
    },
  };

  function named(of: (name: string, i: number) => [string, Tensor]): Record<string, Tensor> {
    return Object.fromEntries(columns.map(({ name }, i) => of(name, i)));
  }
}

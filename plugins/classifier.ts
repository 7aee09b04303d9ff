// AC-GAN's auxiliary classifier: Odena, Olah, Shlens, "Conditional Image Synthesis with Auxiliary Classifier
// GANs", ICML 2017, section 3. Each label column is a set of classes; the generator is asked for them, and a
// head of the discriminator recovers them.

import { Categorical, classColumns, definePlugin, describeColumns, type Plugin } from "kao/plugin";

const classifier: Plugin = definePlugin({
  name: "classifier",
  version: "1.0.0",
  help: "Classes of label columns, which the discriminator recovers (AC-GAN)",
  paper: "Odena et al. 2017, arXiv:1610.09585, section 3",
  options: { columns: classColumns },
  columns: ({ columns }) => columns ?? [],
  setup: ({ columns }, setup) => ({
    conditions: describeColumns(columns, setup).map((described) => new Categorical(described)),
  }),
});

export default classifier;

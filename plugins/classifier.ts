// AC-GAN's auxiliary classifier: Odena, Olah, Shlens, "Conditional Image Synthesis with Auxiliary Classifier
// GANs", ICML 2017, section 3. Each label column is a set of classes; the generator is asked for them, and a
// head of the discriminator recovers them.

import { Categorical, definePlugin, type Plugin, UserError } from "kao/plugin";

const classifier: Plugin = definePlugin({
  name: "classifier",
  version: "1.0.0",
  help: "Classes of label columns, which the discriminator recovers (AC-GAN)",
  paper: "Odena et al. 2017, arXiv:1610.09585, section 3",
  options: {
    columns: {
      type: "list",
      help: "Label columns whose values are classes; by default all that no other plugin reads",
    },
  },
  columns: ({ columns }) => columns ?? [],
  setup({ columns }, { data, claimed }) {
    const names = data.columns.map(({ name }) => name);
    const missing = columns?.find((name) => !names.includes(name));
    if (missing !== undefined) {
      throw new UserError(`there is no label column "${missing}": there are ${names.join(", ")}`);
    }
    const wanted = columns ?? names.filter((name) => !claimed.includes(name));
    return {
      conditions: wanted.map((name) => {
        const at = names.indexOf(name);
        return Categorical.fromLabels(name, data.columns[at].classes, data.labels[at]);
      }),
    };
  },
});

export default classifier;

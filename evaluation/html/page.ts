// The report as one page, which needs nothing beside itself.

import type { Curve } from "../curves.ts";
import type { Gallery } from "../gallery.ts";
import type {
  FeatureDistance,
  FeatureReport,
  FeatureScores,
  Memorisation,
  Report,
} from "../report.ts";
import { escaped, figure, image, percent, section, table } from "./markup.ts";
import { type Dot, linePlot, scatterPlot, type Series } from "./plots.ts";
import { STYLE } from "./style.ts";

/** Pictures of fewer pixels are shown twice as large. */
const SMALL = 48;

/** The page of a report. */
export function reportPage(
  report: Report,
  shown: { gallery: Gallery; curves: readonly Curve[] },
): string {
  const { gallery, curves } = shown, scale = report.size < SMALL ? 2 : 1;
  const title = `${escaped(report.run)} at step ${report.step.toLocaleString("en")}`;
  const body = [
    header(report, title),
    tiles(report),
    ...Object.keys(report.accuracy).map((column) => classes(report, gallery, { column, scale })),
    discriminability(report),
    diversity(report),
    features(report),
    inception(report),
    neighbours(report, gallery, scale),
    across(gallery, scale),
    interpolations(gallery, scale),
    confusions(report),
    training(curves),
    conventions(report),
  ].join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body><main>
${body}
</main></body>
</html>
`;
}

function header({ samples, size, data, classifier, weights }: Report, title: string): string {
  const accuracy = Object.entries(classifier.accuracy)
    .map(([column, share]) => `${percent(share)} of ${escaped(column)}`).join(" and ");
  const other = data.same ? "" : " The run was trained on other data than this.";
  return `<h1>${title}</h1><p class="about">${
    samples.toLocaleString("en")
  } samples of ${size}×${size} ` +
    `pixels, drawn with ${
      weights === "averaged" ? "averaged weights" : "the weights of the last step"
    } ` +
    `and labelled as the data is, against ${
      data.train.toLocaleString("en")
    } training and ${data.heldOut} ` +
    `held-out pictures.${other} A separate classifier judges them; it names ${accuracy} of held-out pictures ` +
    `rightly.</p>`;
}

function tiles({ accuracy, msSsim, features }: Report): string {
  const tile = (name: string, value: string, beside: string): string =>
    `<div class="tile"><span>${name}</span><b>${value}</b><span>${beside}</span></div>`;
  const { samples, real } = features;
  const scores: [string, keyof FeatureScores][] = [
    ["Fréchet distance", "frechet"],
    ["Kernel distance", "kernel"],
    ["Precision", "precision"],
    ["Recall", "recall"],
    ["Density", "density"],
    ["Coverage", "coverage"],
  ];
  return `<div class="tiles">${
    [
      ...Object.entries(accuracy).map(([column, { samples, real }]) =>
        tile(`Accuracy, ${escaped(column)}`, percent(samples), `real pictures ${percent(real)}`)
      ),
      ...Object.entries(msSsim.columns).map(([column, { mean }]) =>
        tile(
          `MS-SSIM within ${escaped(column)}`,
          figure(mean.samples),
          `real pictures ${figure(mean.real)}; lower is more diverse`,
        )
      ),
      ...scores.map(([name, key]) =>
        tile(name, figure(samples?.[key]), `real pictures ${figure(real?.[key])}`)
      ),
    ].join("")
  }</div>`;
}

function classes(
  { accuracy, msSsim }: Report,
  { classes }: Gallery,
  { column, scale }: { column: string; scale: number },
): string {
  const rows = classes[column].map(({ name, samples, real }, i) => {
    const told = accuracy[column].classes[i], alike = msSsim.columns[column].classes[i];
    return [
      escaped(name),
      samples ? image(samples, { alt: `samples of ${name}`, scale }) : "",
      real ? image(real, { alt: `real pictures of ${name}`, scale }) : "",
      `${percent(told.samples)} <span class="about">/ ${percent(told.real)}</span>`,
      `${figure(alike.samples)} <span class="about">/ ${figure(alike.real)}</span>`,
    ];
  });
  return section(
    `By ${escaped(column)}`,
    "The first samples that were asked to be of each class, beside real ones; how often the classifier takes " +
      "them for it, and how alike two of them are, each beside the figure of real pictures.",
    table([escaped(column), "samples", "real", "accuracy", "MS-SSIM"], rows),
  );
}

function discriminability({ discriminability, size }: Report): string {
  const columns = Object.keys(discriminability[0].columns);
  const series = columns.flatMap((column, c): Series[] =>
    (["samples", "real"] as const).map((of) => ({
      name: `${column}, ${of}`,
      colour: 1 + c % 8,
      dashed: of === "real",
      points: discriminability.flatMap(({ size, columns }) => {
        const value = columns[column][of];
        return value === null ? [] : [[Math.log2(size), value] as const];
      }),
    }))
  );
  const ticks = discriminability.map(({ size }) => ({ at: Math.log2(size), label: `${size}` }));
  const plot = linePlot(series, { x: "pixels a side", y: "accuracy", ticks, range: [0, 1] });
  return section(
    "Discriminability by resolution",
    `Accuracy of the classifier on pictures that were brought down to fewer pixels and back up to ${size}. ` +
      "A model that uses its resolution loses accuracy where real pictures do.",
    `<div class="plots"><figure>${plot}</figure></div>`,
  );
}

/** Classes that are named in the scatter plot: those farthest above the diagonal. */
const NAMED = 4;

function diversity({ msSsim }: Report): string {
  const all = Object.entries(msSsim.columns).flatMap(([column, { classes }], c) =>
    classes.flatMap(({ name, samples, real }) =>
      samples === null || real === null
        ? []
        : [{ name: `${name} ${column}`, colour: 1 + c % 8, x: real, y: samples }]
    )
  );
  const dots = all.toSorted((a, b) => (b.y - b.x) - (a.y - a.x))
    .map((dot, i): Dot => ({ ...dot, named: i < NAMED }));
  const rows = Object.entries(msSsim.columns).map((
    [column, { mean, classesBelowRealMaximum }],
    c,
  ) => [
    `<svg width="18" height="10"><circle cx="5" cy="5" r="5" class="fill${1 + c % 8}"/></svg>` +
    escaped(column),
    figure(mean.samples),
    figure(mean.real),
    percent(classesBelowRealMaximum),
  ]);
  const { pairs, windowSize, sigma, weights } = msSsim.convention;
  return section(
    "Diversity within a class",
    `Mean MS-SSIM of ${pairs} random pairs a class: 1 for equal pictures. A class above the line is less diverse ` +
      "than the real one; a model that shows the same picture again and again is far above it.",
    `<div class="plots"><figure>${
      scatterPlot(dots, { x: "MS-SSIM of real pictures", y: "MS-SSIM of samples" })
    }</figure><div>${
      table(["column", "samples", "real", "classes below the greatest real one"], rows)
    }<p class="about">Window ${windowSize}×${windowSize}, σ ${sigma}, ${weights.length} ` +
      `${weights.length === 1 ? "scale" : "scales"} of weights ${
        weights.map(figure).join(", ")
      }: ` +
      "figures of other conventions do not compare.</p></div></div>",
  );
}

function features({ features, classifier }: Report): string {
  return section(
    "Distances in features",
    `How near sets of pictures are to half of the training set, in the ${classifier.features} in-domain features of ` +
      "the classifier. These are no Inception features: the figures compare between runs on this data alone. A " +
      "Fréchet distance grows as pictures become fewer; the last two rows are of equal counts.",
    scoresTable(featureRows(features)),
  );
}

function inception({ inception }: Report): string {
  if (!inception) return "";
  const { weights, most, whole, ...features } = inception, { file, sha256, variant } = weights;
  const rows = featureRows(features);
  if (whole) {
    rows.splice(1, 0, [
      `samples, to ${whole.reference} pictures of the whole training set`,
      ...distanceCells(whole),
      ...["", "", "", ""],
    ]);
  }
  return section(
    "Distances in Inception v3's features",
    "The same in the 2048 features of an Inception v3 (pool3), with pictures brought to 299×299 by linear " +
      `interpolation. Weights: ${escaped(file)}, taken for the ${variant} network, SHA-256 ${
        sha256.slice(0, 12)
      }; ${
        most === null ? "all pictures" : `at most ${most} pictures of each set`
      }. Only where those ` +
      "are the published weights of 2015-12-05 is the Fréchet distance an FID and the kernel distance a KID, and only " +
      "at equal counts do they compare: kao's page on evaluation says when with published figures.",
    scoresTable(rows),
  );
}

function featureRows(features: FeatureReport): string[][] {
  const sets: [string, FeatureScores | null][] = [
    ["samples", features.samples],
    ["real pictures of the training set", features.real],
    ["held-out pictures", features.heldOut],
    ["as many samples as held-out pictures", features.samplesAsHeldOut],
  ];
  return sets.flatMap(([name, scores]) =>
    scores
      ? [[
        name,
        ...distanceCells(scores),
        ...[scores.precision, scores.recall, scores.density, scores.coverage].map(figure),
      ]]
      : []
  );
}

function distanceCells({ count, frechet, kernel, kernelStandardError }: FeatureDistance): string[] {
  return [
    String(count),
    figure(frechet),
    `${figure(kernel)} ± ${figure(kernelStandardError)}`,
  ];
}

function scoresTable(rows: readonly string[][]): string {
  return table(
    ["", "count", "Fréchet", "kernel", "precision", "recall", "density", "coverage"],
    rows,
  );
}

function neighbours(report: Report, { nearest }: Gallery, scale: number): string {
  const row = (name: string, m: Memorisation): string[] => [
    name,
    ...[m.samples.least, m.samples.twentieth, m.samples.median].map(figure),
    ...[m.real?.least, m.real?.twentieth, m.real?.median].map(figure),
    percent(m.nearerThanTwentieth),
  ];
  const pairs = nearest.map(({ sample, pixels, features }) => {
    const shown = [sample, pixels.plate, features.plate].map((plate, i) =>
      image(plate, {
        alt: ["sample", "nearest in pixels", "nearest in features"][i],
        scale: 2 * scale,
      })
    );
    const told = [
      "sample",
      ...[pixels, features].map((n) => `${figure(n.distance)}${n.mirrored ? ", mirrored" : ""}`),
    ];
    return `<div>${shown.join("")}${told.map((text) => `<span>${text}</span>`).join("")}</div>`;
  });
  return section(
    "Nearest training pictures",
    "Distances to the nearest training picture or its mirror image, of samples and of held-out pictures: by the mean " +
      "difference of pixels, of 255, and by Euclid in features. A model that copies has samples much nearer than new " +
      "real pictures are: more than 5 % are within the nearest twentieth of those. Below, the samples nearest in " +
      "pixels; each with its nearest in pixels and in features.",
    table(
      [
        "",
        "least",
        "5 %",
        "median",
        "held-out: least",
        "5 %",
        "median",
        "samples within the held-out 5 %",
      ],
      [row("pixels", report.neighbours.pixels), row("features", report.neighbours.features)],
    ) + `<div class="pairs">${pairs.join("")}</div>`,
  );
}

function across({ across }: Gallery, scale: number): string {
  const sheets = across.map(({ condition, labels, plate }) => {
    const grid = `grid-template-columns: repeat(${labels.length}, ${
      plate.width * scale / labels.length
    }px)`;
    const heads = labels.map((label) => `<span title="${escaped(label)}">${escaped(label)}</span>`);
    return `<h3>${escaped(condition)}</h3><div class="scroll"><div class="across">` +
      `<div style="${grid}">${heads.join("")}</div>` +
      `${
        image(plate, { alt: `one noise vector a row, one ${condition} a column`, scale })
      }</div></div>`;
  });
  return section(
    "One noise vector across all classes",
    "Along a row only one condition changes. What stays is what the noise decides.",
    sheets.join(""),
  );
}

function interpolations({ interpolations }: Gallery, scale: number): string {
  return section(
    "From one picture to another",
    "Along the arc between two noise vectors, with the conditions of the first. Jumps would tell of pictures that " +
      "were learnt by heart.",
    `<div class="scroll">${image(interpolations, { alt: "interpolations", scale })}</div>`,
  );
}

function confusions({ accuracy }: Report): string {
  const tables = Object.entries(accuracy).flatMap(([column, { classes, confusion }]) =>
    (["samples", "real"] as const).map((of) => {
      const head = classes.map(({ name }) => `<th>${escaped(name)}</th>`).join("");
      const rows = confusion[of].map((row, i) => {
        const total = row.reduce((sum, n) => sum + n, 0);
        const cells = row.map((n) => {
          const share = total === 0 ? 0 : 100 * n / total;
          const shade = `background: color-mix(in srgb, var(--s1) ${
            Math.round(share * 0.75)
          }%, transparent)`;
          return `<td style="${shade}" title="${n}">${share >= 0.5 ? share.toFixed(0) : ""}</td>`;
        });
        return `<tr><th>${escaped(classes[i].name)}</th>${cells.join("")}</tr>`;
      });
      return `<figure><figcaption>${escaped(column)}, ${
        of === "real" ? "held-out pictures" : of
      }</figcaption><div class="scroll"><table class="confusion"><thead><tr><th></th>${head}</tr></thead>` +
        `<tbody>${rows.join("")}</tbody></table></div></figure>`;
    })
  );
  return section(
    "What classes are taken for",
    "Per cent of each row's class, by what the classifier takes it for.",
    `<div class="plots">${tables.join("")}</div>`,
  );
}

/** Curves by what they tell; the first that fits has them. */
const GROUPS: readonly (readonly [title: string, pattern: RegExp])[] = [
  ["Adversarial losses", /^[dg]\.adv/],
  ["Losses of classes, discriminator", /^d\.class/],
  ["Losses of classes, generator", /^g\.class/],
  ["Discriminator on real pictures", /^accuracy\..*real$/],
  ["Discriminator on samples", /^accuracy\./],
  ["Discriminator on held-out pictures", /^holdout\./],
  ["Fréchet distance while training", /^eval\.frechet/],
  ["Kernel distance while training", /^eval\.kernel_distance/],
  ["MS-SSIM while training", /^eval\.ms_ssim/],
  ["Other evaluations while training", /^eval\./],
  ["Other figures", /./],
];
const MOST_LINES = 8;

function training(curves: readonly Curve[]): string {
  const left = new Set(curves);
  const plots = GROUPS.flatMap(([title, pattern]) => {
    const those = [...left].filter(({ name }) => pattern.test(name));
    those.forEach((curve) => left.delete(curve));
    const parts = Array.from(
      { length: Math.ceil(those.length / MOST_LINES) },
      (_, i) => those.slice(i * MOST_LINES, (i + 1) * MOST_LINES),
    );
    return parts.map((part) => {
      const series = part.map(({ name, points }, i) => ({ name, colour: i + 1, points }));
      return `<figure><figcaption>${title}</figcaption>${
        linePlot(series, { x: "step", y: "" })
      }</figure>`;
    });
  });
  if (plots.length === 0) return "";
  return section("Training", "As the run logged it.", `<div class="plots">${plots.join("")}</div>`);
}

function conventions({ classifier, seed, adapter, seconds, data }: Report): string {
  const total = Object.values(seconds).reduce((sum, s) => sum + s, 0);
  const times = Object.entries(seconds).map(([stage, s]) => `${stage} ${s.toFixed(1)} s`).join(
    ", ",
  );
  return section(
    "How it was measured",
    `Classifier ${escaped(classifier.name)}, trained on ${
      classifier.picturesSeen.toLocaleString("en")
    } pictures of the training set, repeated ones counted. Seed ${seed}. Data ${
      data.fingerprint.slice(0, 12)
    }. Adapter ${escaped(adapter)}.`,
    `<p class="about">${
      total.toFixed(0)
    } s in all: ${times}. Formulas and their sources are in docs/evaluation.md.</p>`,
  );
}

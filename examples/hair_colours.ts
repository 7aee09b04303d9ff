// Learns to tell the hair colour of drawn avatars: data, model, training, accuracy on new pictures.
//
//   deno run --allow-env examples/hair_colours.ts

import { drawAvatars, HAIR_COLOURS } from "../data/mod.ts";
import {
  Adam,
  argmax,
  BatchNorm2d,
  cast,
  compile,
  Conv2d,
  crossEntropy,
  Device,
  div,
  globalAvgPool,
  HostGenerator,
  Linear,
  Module,
  read,
  relu,
  type Tensor,
  tensor,
} from "../engine/mod.ts";

const SIZE = 32, PIXELS = 3 * SIZE * SIZE, BATCH = 32, STEPS = 160;
const COLOURS = Object.keys(HAIR_COLOURS);

/** The first `count` avatars of a seed: bytes of pictures, and the place of each hair in COLOURS. */
function draw(count: number, seed: number) {
  const { images, attributes } = drawAvatars({ count, size: SIZE, seed });
  return { images, labels: Int32Array.from(attributes, ({ hair }) => COLOURS.indexOf(hair)) };
}

const generator = new HostGenerator(1);

class Classifier extends Module {
  readonly conv1 = new Conv2d(3, 16, { kernelSize: 4, stride: 2, padding: 1, generator });
  readonly norm1 = new BatchNorm2d(16);
  readonly conv2 = new Conv2d(16, 32, { kernelSize: 4, stride: 2, padding: 1, generator });
  readonly norm2 = new BatchNorm2d(32);
  readonly head = new Linear(32, COLOURS.length, { generator });

  /** Bytes [N, 3, SIZE, SIZE] to logits [N, COLOURS.length]. */
  forward(images: Tensor): Tensor {
    const x = div(cast(images, "f32"), 255);
    const edges = relu(this.norm1.forward(this.conv1.forward(x)));
    const parts = relu(this.norm2.forward(this.conv2.forward(edges)));
    return this.head.forward(globalAvgPool(parts));
  }
}

/** Trains a classifier, and gives the share of new avatars whose hair it tells. */
export async function train(log: (line: string) => void = console.log): Promise<number> {
  await Device.open();
  const net = new Classifier();
  const optimizer = new Adam(net.namedParameters(), { lr: 3e-3 });
  const step = compile((images, labels) => {
    const loss = crossEntropy(net.forward(images), labels);
    optimizer.minimize(loss);
    return loss;
  });

  const lessons = draw(1024, 1);
  for (let i = 1; i <= STEPS; i++) {
    const at = (i * BATCH) % 1024;
    const images = lessons.images.slice(at * PIXELS, (at + BATCH) * PIXELS);
    const labels = lessons.labels.slice(at, at + BATCH);
    const loss = step(tensor(images, [BATCH, 3, SIZE, SIZE]), tensor(labels));
    if (i % 40 === 0) log(`step ${i}: loss ${(await read([loss]))[0][0].toFixed(3)}`);
  }

  net.eval();
  const classify = compile((images) => argmax(net.forward(images), { dim: 1 }));
  const exam = draw(256, 2);
  const [told] = await read([classify(tensor(exam.images, [256, 3, SIZE, SIZE]))]);
  const right = exam.labels.filter((label, i) => label === told[i]).length;
  log(`told the hair of ${right} of ${told.length} new avatars`);
  return right / told.length;
}

if (import.meta.main) await train();

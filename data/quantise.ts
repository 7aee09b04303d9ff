// The 256 colours that stand for all colours of some pictures: Heckbert's median cut ("Color Image
// Quantization for Frame Buffer Display", 1982) over colours of five bits a channel.

/** A table of colours and the way into it. */
export interface Palette {
  /** 256 colours of red, green and blue. */
  readonly colours: Uint8Array;
  /** For interleaved RGB bytes that the palette was built from, the colour of each pixel. */
  indices(rgb: Uint8Array): Uint8Array;
}

interface Bin {
  readonly key: number;
  readonly count: number;
  /** The mean colour of its pixels. */
  readonly mean: readonly number[];
}

/** Builds the palette of some pictures, each given as interleaved RGB bytes. */
export function buildPalette(pictures: readonly Uint8Array[]): Palette {
  const boxes = [countBins(pictures)];
  while (boxes.length < 256) {
    const spreads = boxes.map(spread);
    const widest = spreads.indexOf(Math.max(...spreads));
    if (boxes[widest].length < 2) break;
    boxes.push(split(boxes[widest]));
  }
  const colours = new Uint8Array(3 * 256);
  const index = new Uint8Array(1 << 15);
  boxes.forEach((box, i) => {
    const total = box.reduce((sum, { count }) => sum + count, 0);
    for (let channel = 0; channel < 3; channel++) {
      const sum = box.reduce((sum, { count, mean }) => sum + count * mean[channel], 0);
      colours[3 * i + channel] = Math.round(sum / total);
    }
    for (const { key } of box) index[key] = i;
  });
  return {
    colours,
    indices: (rgb) => {
      const result = new Uint8Array(rgb.length / 3);
      for (let i = 0; i < result.length; i++) result[i] = index[keyOf(rgb, 3 * i)];
      return result;
    },
  };
}

function keyOf(rgb: Uint8Array, at: number): number {
  return rgb[at] >> 3 << 10 | rgb[at + 1] >> 3 << 5 | rgb[at + 2] >> 3;
}

function countBins(pictures: readonly Uint8Array[]): Bin[] {
  const sums = new Float64Array(4 << 15);
  for (const rgb of pictures) {
    for (let at = 0; at < rgb.length; at += 3) {
      const bin = 4 * keyOf(rgb, at);
      for (let channel = 0; channel < 3; channel++) sums[bin + channel] += rgb[at + channel];
      sums[bin + 3]++;
    }
  }
  const bins: Bin[] = [];
  for (let key = 0; key < 1 << 15; key++) {
    const count = sums[4 * key + 3];
    if (count > 0) {
      bins.push({ key, count, mean: [0, 1, 2].map((channel) => sums[4 * key + channel] / count) });
    }
  }
  return bins;
}

function extents(box: readonly Bin[]): number[] {
  return [0, 1, 2].map((channel) => {
    let low = Infinity;
    let high = -Infinity;
    for (const { mean } of box) {
      low = Math.min(low, mean[channel]);
      high = Math.max(high, mean[channel]);
    }
    return high - low;
  });
}

/** How much a box stands to gain from a cut: its longest side, weighed by its pixels. */
function spread(box: readonly Bin[]): number {
  if (box.length < 2) return 0;
  const pixels = box.reduce((sum, { count }) => sum + count, 0);
  return Math.max(...extents(box)) * Math.sqrt(pixels);
}

/** Cuts a box across its longest side so that both parts hold about as many pixels; returns one part. */
function split(box: Bin[]): Bin[] {
  const sides = extents(box);
  const channel = sides.indexOf(Math.max(...sides));
  box.sort((a, b) => a.mean[channel] - b.mean[channel] || a.key - b.key);
  const half = box.reduce((sum, { count }) => sum + count, 0) / 2;
  let pixels = 0;
  let cut = 0;
  while (cut < box.length - 1 && pixels + box[cut].count <= half) pixels += box[cut++].count;
  return box.splice(Math.max(1, cut));
}

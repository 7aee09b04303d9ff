import { encodePng } from "../codecs.ts";
import { UserError } from "../errors.ts";
import { LABELS_FILE } from "../labels.ts";
import { type AvatarAttributes, randomAttributes } from "./attributes.ts";
import { drawAvatar } from "./draw.ts";
import { avatarColumns, avatarLabels } from "./labels.ts";

/** Which avatars to draw: the first `count` of `seed`, at `size` x `size`. */
export interface AvatarOptions {
  readonly count: number;
  readonly size: number;
  readonly seed: number;
}

/** Drawn avatars with what is true of them. */
export interface Avatars {
  /** `count * 3 * size * size` bytes (NCHW). */
  readonly images: Uint8Array<ArrayBuffer>;
  readonly attributes: readonly AvatarAttributes[];
}

/**
 * Draws avatars of random looks; the same options always give the same pictures.
 *
 * ```ts
 * const { images, attributes } = drawAvatars({ count: 8, size: 32, seed: 7 });
 * ```
 */
export function drawAvatars({ count, size, seed }: AvatarOptions): Avatars {
  const bytes = 3 * size * size;
  const images = new Uint8Array(count * bytes);
  const attributes = Array.from({ length: count }, (_, i) => randomAttributes(seed, i));
  attributes.forEach((look, i) => images.set(drawAvatar(look, size), i * bytes));
  return { images, attributes };
}

/**
 * Writes a data set of avatars: `images/00000.png` and so on, and `labels.csv` with the columns hair,
 * style, eyes, skin and glasses, and the measures tilt, hair_length and smile. The folder appears
 * under its name when it is complete.
 *
 * @throws {UserError} where the folder exists and is not empty, or cannot be written.
 */
export async function writeAvatars(
  folder: string,
  options: AvatarOptions & { onProgress?: (done: number, total: number) => void },
): Promise<void> {
  const { count, size, seed, onProgress } = options;
  const target = folder.replace(/[\\/]+$/, "");
  const beside = `${target}.partial`;
  try {
    refuseFull(target);
    await Deno.remove(beside, { recursive: true }).catch(ignoreMissing);
    await Deno.mkdir(`${beside}/images`, { recursive: true });
    let csv = `${["file", ...avatarColumns].join(",")}\n`;
    for (let i = 0; i < count; i++) {
      const look = randomAttributes(seed, i);
      const file = `images/${String(i).padStart(5, "0")}.png`;
      const png = await encodePng(interleave(drawAvatar(look, size)), {
        width: size,
        height: size,
      });
      await Deno.writeFile(`${beside}/${file}`, png);
      csv += csvRow(file, look);
      onProgress?.(i + 1, count);
    }
    await Deno.writeTextFile(`${beside}/${LABELS_FILE}`, csv);
    await Deno.remove(target).catch(ignoreMissing);
    await Deno.rename(beside, target);
  } catch (error) {
    if (error instanceof UserError || error instanceof Deno.errors.NotCapable) throw error;
    throw new UserError(`Cannot write avatars to ${target}: ${(error as Error).message}`);
  }
}

/** From planes (CHW) to the order of picture files (HWC). */
function interleave(planes: Uint8Array): Uint8Array<ArrayBuffer> {
  const plane = planes.length / 3;
  const rgb = new Uint8Array(planes.length);
  for (let i = 0; i < rgb.length; i++) rgb[i] = planes[(i % 3) * plane + Math.floor(i / 3)];
  return rgb;
}

function csvRow(file: string, look: AvatarAttributes): string {
  const labels = avatarLabels(look);
  return [file, ...avatarColumns.map((name) => labels[name])].join(",") + "\n";
}

function refuseFull(folder: string): void {
  try {
    if (Deno.readDirSync(folder)[Symbol.iterator]().next().done) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new UserError(`Folder ${folder} is not empty: choose another, or delete it first`);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

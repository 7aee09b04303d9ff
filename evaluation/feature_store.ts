// Features of real pictures on disk, for they are the same at every evaluation of a run.

import { decodeSafetensors, Device, encodeSafetensors, identify } from "../engine/mod.ts";
import { asUserError, exists, replaceFile } from "../training/mod.ts";
import type { LabelledPictures } from "./pictures.ts";

const KEY = "features";

/**
 * Features `[count, dimensions]` of sets of pictures by one network, a file a set. Files are named by the pictures,
 * the network and the adapter, so that what is found is what would be computed.
 */
export class FeatureStore {
  readonly #folder: string;
  readonly #network: string;
  readonly #dimensions: number;

  /** @param options.network what tells the network from all others. */
  constructor(folder: string, options: { network: string; dimensions: number }) {
    this.#folder = folder;
    this.#network = options.network;
    this.#dimensions = options.dimensions;
  }

  /** The features of a set, where they were kept; a damaged file counts as none. */
  async find(pictures: LabelledPictures): Promise<Float32Array<ArrayBuffer> | undefined> {
    const path = await this.#path(pictures);
    if (!await exists(path)) return undefined;
    const bytes = await asUserError(`Cannot read ${path}`, () => Deno.readFile(path));
    try {
      const { dtype, data } = decodeSafetensors(bytes).tensors[KEY];
      const whole = dtype === "f32" && data.length === pictures.count * this.#dimensions;
      return whole ? data as Float32Array<ArrayBuffer> : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws {UserError} where the folder cannot be written. */
  async keep(pictures: LabelledPictures, data: Float32Array<ArrayBuffer>): Promise<void> {
    const shape = [pictures.count, this.#dimensions], folder = this.#folder;
    await asUserError(`Cannot write to ${folder}`, () => Deno.mkdir(folder, { recursive: true }));
    const file = encodeSafetensors({ [KEY]: { dtype: "f32", shape, data } });
    await replaceFile(await this.#path(pictures), file);
  }

  async #path({ images, size }: LabelledPictures): Promise<string> {
    const pixels = await sha256(images);
    const about = [pixels, size, this.#network, identify(Device.default.adapter)];
    const name = await sha256(new TextEncoder().encode(JSON.stringify(about)));
    return `${this.#folder}/${name.slice(0, 24)}.safetensors`;
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

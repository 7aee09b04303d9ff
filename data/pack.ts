// Pictures, decoded and resized once, in one file that is read back in one go.
//
// A pack knows each picture by its name, length and time of change, and by the SHA-256 of its content.
// Where name, length and time are as they were, the pixels are taken over without opening the picture.
// Otherwise the picture is read and hashed: known content (renamed, copied, touched) is taken over, new
// content is decoded. Only a change that keeps both length and time of change (to the millisecond) goes
// unnoticed; then delete the pack.
//
// The file: "kaopack1", the length of the header in bytes (u32, little endian), the header as JSON, the
// pixels. It is written beside and renamed, so that a pack is either whole or not there. What a process
// that was killed left beside is removed a day later.

import { decodePicture, PictureError } from "./codecs.ts";
import { UserError } from "./errors.ts";
import type { FoundFile } from "./folder.ts";
import { cropResize } from "./resize.ts";

/** A picture of a pack: where its pixels lie, or why it has none. */
export interface PackEntry {
  readonly file: string;
  readonly bytes: number;
  readonly modified: number;
  /** Empty where the file could not be read. */
  readonly sha256: string;
  /** The index of its pixels; pictures of the same content share one. */
  readonly slot?: number;
  readonly reason?: string;
}

/** Pictures in the order asked for; slots count up from 0 in the order of first use. */
export interface Pack {
  readonly entries: readonly PackEntry[];
  /** CHW bytes, `3 * size * size` a slot. */
  readonly pixels: Uint8Array;
}

const MAGIC = "kaopack1";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Decodes pictures to `size` x `size`, as far as the pack in the folder `cache` has not got them. */
export async function packPictures(
  files: readonly FoundFile[],
  options: {
    root: string;
    size: number;
    cache?: string;
    keep?: boolean;
    onProgress?: (done: number, total: number) => void;
  },
): Promise<Pack> {
  const { size, keep = true, onProgress } = options;
  const path = options.cache && await packPath(options.cache, options);
  const old = path ? readPack(path, size) : undefined;
  if (old?.entries.length === files.length && files.every((f, i) => isSame(f, old.entries[i]))) {
    onProgress?.(files.length, files.length);
    return old;
  }

  const stride = 3 * size * size;
  const pixels = allocate(files.length, size);
  const entries: PackEntry[] = [];
  const slots = new Map<string, number>();
  const byFile = new Map(old?.entries.map((entry) => [entry.file, entry]));
  const byContent = new Map(old?.entries.map((entry) => [entry.sha256, entry]));
  const pixelsOf = async (known: PackEntry | undefined, content?: Uint8Array) => {
    if (known?.reason) throw new PictureError(known.reason);
    if (known === undefined) return cropResize(await decodePicture(content!), size);
    return old!.pixels.subarray(known.slot! * stride, (known.slot! + 1) * stride);
  };
  for (const found of files) {
    const { file, bytes, modified } = found;
    let sha256 = "";
    let outcome: { slot: number } | { reason: string };
    try {
      let known = byFile.get(file);
      let content: Uint8Array<ArrayBuffer> | undefined;
      if (!isSame(found, known)) {
        content = await readPicture(found.path);
        sha256 = await sha256Hex(content);
        known = byContent.get(sha256);
      } else {
        sha256 = known!.sha256;
      }
      const slot = slots.get(sha256) ?? slots.size;
      if (slot === slots.size) pixels.set(await pixelsOf(known, content), slot * stride);
      slots.set(sha256, slot);
      outcome = { slot };
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      outcome = { reason: error.message };
    }
    entries.push({ file, bytes, modified, sha256, ...outcome });
    onProgress?.(entries.length, files.length);
  }
  const pack = { entries, pixels: pixels.subarray(0, slots.size * stride) };
  if (path && keep) writePack(path, { size, pack });
  return pack;
}

async function readPicture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new PictureError(`it cannot be read: ${(error as Error).message}`);
  }
}

/** The SHA-256 of some bytes in hexadecimal. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function allocate(count: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = count * 3 * size * size;
  try {
    return new Uint8Array(bytes);
  } catch {
    const need = `${count} pictures of ${size} x ${size} need ${(bytes / 1e9).toFixed(1)} GB`;
    throw new UserError(`${need} of memory, which is more than there is: choose a smaller size`);
  }
}

function isSame(found: FoundFile, entry: PackEntry | undefined): boolean {
  return entry !== undefined && entry.sha256 !== "" && entry.file === found.file &&
    entry.bytes === found.bytes && entry.modified === found.modified;
}

/** One pack a data folder and size, with a name that people can tell apart. */
async function packPath(cache: string, options: { root: string; size: number }): Promise<string> {
  const root = Deno.realPathSync(options.root);
  const hash = await sha256Hex(new TextEncoder().encode(root));
  const name = root.split(/[\\/]/).pop();
  return `${cache}/${name}-${options.size}px-${hash.slice(0, 8)}.pack`;
}

/** The pack at `path`, or undefined where there is none, or one that cannot be used. */
function readPack(path: string, size: number): Pack | undefined {
  try {
    const file = Deno.readFileSync(path);
    const start = MAGIC.length + 4;
    if (new TextDecoder().decode(file.subarray(0, MAGIC.length)) !== MAGIC) return undefined;
    const headerBytes = new DataView(file.buffer).getUint32(MAGIC.length, true);
    const header = JSON.parse(
      new TextDecoder().decode(file.subarray(start, start + headerBytes)),
    ) as { size: number; slots: number; entries: PackEntry[] };
    const pixels = file.subarray(start + headerBytes);
    const whole = header.size === size && pixels.length === header.slots * 3 * size * size;
    return whole ? { entries: header.entries, pixels } : undefined;
  } catch {
    return undefined; // A cache may always be made again.
  }
}

function writePack(path: string, options: { size: number; pack: Pack }): void {
  const { size, pack } = options;
  const slots = pack.pixels.length / (3 * size * size);
  const header = new TextEncoder().encode(JSON.stringify({ size, slots, entries: pack.entries }));
  const start = new Uint8Array(MAGIC.length + 4);
  new TextEncoder().encodeInto(MAGIC, start);
  new DataView(start.buffer).setUint32(MAGIC.length, header.length, true);
  const beside = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    removeStale(path);
    {
      using file = Deno.openSync(beside, { write: true, createNew: true });
      for (const part of [start, header, pack.pixels]) {
        for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
      }
      file.syncSync();
    }
    Deno.renameSync(beside, path);
  } catch (error) {
    try {
      Deno.removeSync(beside);
    } catch {
      // It was never made.
    }
    throw new UserError(`Cannot write the picture cache ${path}: ${(error as Error).message}`);
  }
}

/** Removes unfinished packs that nobody can be writing any more. */
function removeStale(path: string): void {
  const slash = path.lastIndexOf("/");
  const folder = path.slice(0, slash);
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.startsWith(`${path.slice(slash + 1)}.`) || !name.endsWith(".tmp")) continue;
    const { mtime } = Deno.statSync(`${folder}/${name}`);
    if (mtime && Date.now() - mtime.getTime() > DAY_MS) Deno.removeSync(`${folder}/${name}`);
  }
}

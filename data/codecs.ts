// Decoding and encoding through imagescript's WebAssembly and JavaScript parts. Its main module loads
// a native library, which would ask everyone for `--allow-ffi`; these parts need only to be read. They are loaded
// when a picture is there: who has none may be a browser, which could not run them.

/** A decoded picture: four bytes a pixel (red, green, blue, alpha), rows from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

interface JpegDecoder {
  load(bytes: Uint8Array): { width: number; height: number; buffer: Uint8Array };
}

interface PngDecoder {
  decode(bytes: Uint8Array): { width: number; height: number; framebuffer: Uint8Array };
}

interface DecoderModule<Decoder> {
  init(): Promise<Decoder>;
}

interface PngEncoder {
  encode(
    pixels: Uint8Array,
    options: { width: number; height: number; channels: number; level: number },
  ): Uint8Array<ArrayBuffer>;
}

/** Why a picture cannot be used: completes the sentence "FILE was left out: ...". */
export class PictureError extends Error {
  override name = "PictureError";
}

/** Larger pictures are refused before any memory is asked for: a header can claim any size. */
const LARGEST_PIXELS = 100_000_000;

let jpeg: JpegDecoder | undefined;
let png: PngDecoder | undefined;

/**
 * Decodes a PNG or JPEG, told apart by their first bytes.
 *
 * @throws {PictureError} where the bytes are not a whole picture of a supported kind.
 */
export async function decodePicture(bytes: Uint8Array): Promise<Picture> {
  if (bytes.length === 0) throw new PictureError("the file is empty");
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return await decodeJpeg(bytes);
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47])) return await decodePng(bytes);
  throw new PictureError("it is neither a PNG nor a JPEG picture");
}

/**
 * Encodes interleaved RGB bytes, `3 * width * height` of them, as a PNG.
 *
 * ```ts
 * const red = await encodePng(new Uint8Array([255, 0, 0]), { width: 1, height: 1 });
 * ```
 */
export async function encodePng(
  rgb: Uint8Array,
  options: { width: number; height: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = options;
  if (rgb.length !== 3 * width * height) {
    throw new RangeError(
      `encodePng needs ${3 * width * height} bytes for ${width} x ${height}, got ${rgb.length}`,
    );
  }
  const encoder: PngEncoder = (await import("imagescript/png/node.js")).default;
  return encoder.encode(rgb, { width, height, channels: 3, level: 6 });
}

async function decodeJpeg(bytes: Uint8Array): Promise<Picture> {
  const scan = inspectJpeg(bytes);
  if (scan.frame) refuseHuge(scan.frame.width, scan.frame.height);
  // The decoder takes inks for their opposite, and would hand back black.
  if (scan.frame?.components === 4) {
    throw new PictureError("it is a JPEG in CMYK: convert it to RGB");
  }
  if (!scan.ended) throw new PictureError("the JPEG is cut short");
  jpeg ??= await initialised<JpegDecoder>(import("imagescript/wasm/node/jpeg.js"));
  try {
    const { width, height, buffer } = jpeg.load(bytes);
    return { width, height, rgba: buffer };
  } catch {
    jpeg = undefined; // A WebAssembly instance is not to be trusted after a trap.
    throw new PictureError("the JPEG is damaged, or of a kind that is not supported");
  }
}

async function decodePng(bytes: Uint8Array): Promise<Picture> {
  if (bytes.length < 45) throw new PictureError("the PNG is cut short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  refuseHuge(view.getUint32(16), view.getUint32(20));
  png ??= await initialised<PngDecoder>(import("imagescript/wasm/node/png.js"));
  try {
    const { width, height, framebuffer } = png.decode(bytes);
    return { width, height, rgba: framebuffer };
  } catch {
    png = undefined;
    const ended = indexOf(bytes, [0x49, 0x45, 0x4e, 0x44], bytes.length - 64) >= 0; // "IEND"
    throw new PictureError(ended ? "the PNG is damaged" : "the PNG is cut short");
  }
}

async function initialised<Decoder>(module: Promise<{ default: unknown }>): Promise<Decoder> {
  return await ((await module).default as DecoderModule<Decoder>).init();
}

interface JpegScan {
  readonly frame?: { readonly width: number; readonly height: number; readonly components: number };
  /** Whether the end marker follows the first scan. */
  readonly ended: boolean;
}

/** Walks a JPEG's segments up to its first scan. */
function inspectJpeg(bytes: Uint8Array): JpegScan {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: JpegScan["frame"];
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++; // Padding before a marker.
    } else if (marker === 0xda) {
      return { frame, ended: indexOf(bytes, [0xff, 0xd9], at) >= 0 };
    } else {
      // Start of frame: C0 to CF without the tables C4, C8 and CC that lie between.
      if (marker >= 0xc0 && marker <= 0xcf && (marker & 3 || marker === 0xc0)) {
        frame = {
          height: view.getUint16(at + 5),
          width: view.getUint16(at + 7),
          components: bytes[at + 9],
        };
      }
      at += 2 + view.getUint16(at + 2);
    }
  }
  return { frame, ended: false };
}

function refuseHuge(width: number, height: number): void {
  if (width * height <= LARGEST_PIXELS) return;
  throw new PictureError(
    `it is ${width} x ${height}: more than ${LARGEST_PIXELS / 1e6} million pixels`,
  );
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

function indexOf(bytes: Uint8Array, pattern: readonly number[], from: number): number {
  for (let at = Math.max(0, from); at + pattern.length <= bytes.length; at++) {
    if (pattern.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

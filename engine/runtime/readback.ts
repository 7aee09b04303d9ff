// From the device to JavaScript: one copy, one wait, however many buffers.

import { type Device, READBACK } from "./device.ts";

/** A buffer to read, and where its bytes land among the staging buffers. */
interface Place {
  readonly source: GPUBuffer;
  readonly chunk: number;
  readonly offset: number;
}

/** One staging buffer is no larger than this, or than the one buffer that it holds. */
const LARGEST = 256 * 2 ** 20;
/** Mapped ranges start at multiples of this. */
const ALIGNMENT = 8;
const MAP_READ = 0x1;

/** The bytes of buffers, fetched together. */
export async function readBuffers(
  device: Device,
  buffers: readonly GPUBuffer[],
): Promise<ArrayBuffer[]> {
  device.check();
  const { places, chunks } = arrange(buffers);
  const staging = chunks.map((bytes) =>
    device.createBuffer(bytes, { purpose: "results on their way to JavaScript", usage: READBACK })
  );
  try {
    const encoder = device.encoder();
    for (const { source, chunk, offset } of places) {
      encoder.copyBufferToBuffer(source, 0, staging[chunk], offset, source.size);
    }
    device.queue.submit([encoder.finish()]);
    const mapped = await Promise.allSettled(staging.map((buffer) => buffer.mapAsync(MAP_READ)));
    // What the device has to say explains more than "the buffer was not mapped".
    device.check();
    for (const outcome of mapped) if (outcome.status === "rejected") throw outcome.reason;
    return places.map(({ source, chunk, offset }) =>
      staging[chunk].getMappedRange(offset, source.size).slice(0)
    );
  } finally {
    staging.forEach((buffer) => device.destroyBuffer(buffer));
  }
}

/** Places buffers one after another in as few staging buffers as are needed, nearly always one. */
function arrange(buffers: readonly GPUBuffer[]): { places: Place[]; chunks: number[] } {
  const chunks: number[] = [];
  const places = buffers.map((source) => {
    const size = Math.ceil(source.size / ALIGNMENT) * ALIGNMENT;
    const last = chunks.length - 1;
    const fits = last >= 0 && chunks[last] + size <= LARGEST;
    const chunk = fits ? last : chunks.push(0) - 1;
    const offset = chunks[chunk];
    chunks[chunk] += size;
    return { source, chunk, offset };
  });
  return { places, chunks };
}

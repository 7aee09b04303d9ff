import type { PictureRequest } from "../../plugin/mod.ts";
import type { Drawing } from "./drawing.ts";

/** Pictures with what they were drawn by. */
export interface Drawn {
  /** `[count, 3, size, size]` as bytes. */
  readonly pictures: Uint8Array;
  readonly requests: readonly PictureRequest[];
}

/**
 * The pictures of seeds. With a critic, each is the one of the seed's first `bestOf` noise vectors that it rates
 * highest; what is asked for stays what the seed makes it, so that easy classes do not drive out hard ones.
 */
export async function drawSeeds(
  drawing: Drawing,
  seeds: readonly number[],
  { bestOf = 1 }: { bestOf?: number },
): Promise<Drawn> {
  const { critic, size } = drawing, bytes = 3 * size ** 2;
  const requests = await drawing.requests(seeds), pictures = await drawing.draw(requests);
  if (critic === undefined) return { pictures, requests };
  const best = await critic.score(pictures, requests);
  for (let attempt = 1; attempt < bestOf; attempt++) {
    const others = await drawing.requests(seeds, attempt), drawn = await drawing.draw(others);
    const scores = await critic.score(drawn, others);
    scores.forEach((score, i) => {
      if (!(score > best[i])) return;
      best[i] = score;
      requests[i] = others[i];
      pictures.set(drawn.subarray(i * bytes, (i + 1) * bytes), i * bytes);
    });
  }
  return { pictures, requests };
}

import { encodePng, grid } from "../data/mod.ts";
import type { Condition, NamedValue, PictureRequest, PictureSource } from "../plugin/mod.ts";
import { withMix } from "./mixes.ts";
import type { GivenValues } from "./sampler.ts";

/**
 * A PNG sheet on which every row has the noise of one seed, and every column one value of `condition`;
 * what else describes a picture stays the same along its row.
 */
export async function drawGrid(
  sampler: PictureSource,
  condition: Condition,
  options: { seeds: readonly number[]; given?: GivenValues; scale?: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { seeds, given, scale } = options;
  const rows = await sampler.requests(seeds, given);
  return await drawSweep(sampler, rows, { condition, values: condition.showcase(), scale });
}

/** Draws requests, wherever they come from. */
export type Painter = Omit<PictureSource, "requests">;

/** A PNG sheet of requests, a row each, with `values` of a condition in their columns. */
export async function drawSweep(
  painter: Painter,
  rows: readonly PictureRequest[],
  options: {
    condition: Condition;
    values: readonly NamedValue[];
    rowLabels?: readonly string[];
    scale?: number;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const { condition, values, rowLabels, scale } = options;
  const requests = rows.flatMap((row) =>
    values.map(({ value }) => withValue(row, { painter, condition, value }))
  );
  const sheet = grid(await painter.draw(requests), {
    size: painter.size,
    columns: values.length,
    labels: values.map(({ label }) => label),
    rowLabels,
    scale,
  });
  return await encodePng(sheet.rgb, sheet);
}

/** A request with another value of one condition. */
export function withValue(
  request: PictureRequest,
  { painter: { conditions }, condition, value }: {
    painter: Painter;
    condition: Condition;
    value: readonly number[];
  },
): PictureRequest {
  return withMix(request, condition, { conditions, shares: [{ value, weight: 1 }] });
}

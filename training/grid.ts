import { encodePng, grid } from "../data/mod.ts";
import type { Condition, PictureSource } from "../plugin/mod.ts";
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
  const columns = condition.showcase();
  const index = sampler.conditions.indexOf(condition);
  const rows = await sampler.requests(seeds, given);
  const requests = rows.flatMap(({ z, values }) =>
    columns.map(({ value }) => ({ z, values: values.with(index, value) }))
  );
  const sheet = grid(await sampler.draw(requests), {
    size: sampler.size,
    columns: columns.length,
    labels: columns.map(({ label }) => label),
    scale,
  });
  return await encodePng(sheet.rgb, sheet);
}

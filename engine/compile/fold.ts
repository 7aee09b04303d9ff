// How the totals of a workgroup's threads become one: WGSL for a kernel over rows.

import foldCode from "../../shaders/fused_fold.wgsl" with { type: "text" };
import subgroupsCode from "../../shaders/fused_fold_subgroups.wgsl" with { type: "text" };
import { instantiate } from "../kernels/template.ts";
import type { ReduceOp } from "../op.ts";
import { wgslType } from "./wgsl.ts";

/** A total that each thread has in a variable, and that all have to have the same of afterwards. */
export interface Total {
  readonly op: ReduceOp;
  readonly variable: string;
  /** A name for memory of the workgroup. */
  readonly shared: string;
}

/** What a part's function takes where it folds by subgroups, besides its group and lane. */
export const subgroupParameters: readonly string[] = [
  "subgroup_count",
  "subgroup",
  "subgroup_lane",
];

/** Subgroups have 4 threads at least. */
const FEWEST_THREADS = 4;

/** Folds totals over `workgroup` threads: by subgroups, or in a tree through memory of the workgroup. */
export function foldThreads(
  totals: readonly Total[],
  { workgroup, subgroups }: { workgroup: number; subgroups: boolean },
): { lines: string[]; shared: string[] } {
  const each = (line: (total: Total) => string): string => totals.map(line).join("\n    ");
  const length = subgroups ? Math.ceil(workgroup / FEWEST_THREADS) : workgroup;
  const shared = totals.map(({ op, shared }) =>
    `var<workgroup> ${shared}: array<${wgslType(op.accumulator)}, ${length}>;`
  );
  const first = ({ variable, shared }: Total): string => `${variable} = ${shared}[0];`;
  if (!subgroups) {
    const text = instantiate(foldCode, {
      WORKGROUP: workgroup,
      SHARE: each(({ variable, shared }) => `${shared}[lane] = ${variable};`),
      FOLD: each(({ op, shared }) =>
        `${shared}[lane] = ${op.combine(`${shared}[lane]`, `${shared}[lane + width]`)};`
      ),
    });
    return { lines: [text, ...totals.map(first)], shared };
  }
  const text = instantiate(subgroupsCode, {
    FOLD: each(({ op, variable }) => `${variable} = ${op.subgroup}(${variable});`),
    SHARE: each(({ variable, shared }) => `${shared}[subgroup] = ${variable};`),
    FIRST: each(first),
    JOIN: each(({ op, variable, shared }) =>
      `${variable} = ${op.combine(variable, `${shared}[other]`)};`
    ),
  });
  return { lines: [text], shared };
}

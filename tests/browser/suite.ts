// The tests that run in a browser as well, and what must hold after them.

import { assert, assertEquals } from "@std/assert";
import { decodeSafetensors, encodeSafetensors } from "../../engine/mod.ts";
import type { Case } from "../golden/cases.ts";
import { findChromium, runInBrowser } from "./browser.ts";
import type { Program, TestFile, TestOutcome } from "./protocol.ts";

/** Tests of everything that a shader computes. */
export const OPS: readonly TestFile[] = [
  { path: "tests/golden/golden_test.ts" },
  { path: "tests/kernels/matmul_test.ts" },
  { path: "tests/kernels/conv2d_test.ts" },
  { path: "tests/kernels/conv2d_rows_tiled_test.ts" },
  { path: "tests/engine/math_test.ts" },
  { path: "tests/engine/random_test.ts" },
  { path: "tests/engine/half_test.ts" },
  { path: "tests/engine/subgroups_test.ts" },
];

/** Tests of what the engine makes of them. The rest of its tests want files or source lines. */
export const ENGINE: readonly TestFile[] = [
  { path: "tests/engine/compile_test.ts" },
  { path: "tests/engine/variable_test.ts" },
  { path: "tests/engine/ops_fused_test.ts" },
  { path: "tests/engine/optim_test.ts" },
  { path: "tests/engine/profile_test.ts" },
  {
    path: "tests/engine/errors_nan_test.ts",
    only: [
      "numbers that come in bad are named as what was given",
      "steps whose numbers are all finite run as without it",
    ],
  },
];

/** Tests that take longer. */
export const THOROUGH: readonly TestFile[] = [
  { path: "tests/engine/ops_composite_test.ts" },
  { path: "tests/engine/nn_layers_test.ts" },
  { path: "tests/engine/passes_test.ts" },
  { path: "tests/engine/epilogues_test.ts" },
  { path: "tests/engine/torch_module_test.ts" },
  { path: "tests/gradients/gradients_test.ts" },
  { path: "tests/kernels/gemm_tiled_test.ts" },
];

/** How much of the tests to run. */
export interface SuiteOptions extends Partial<Omit<Program, "files">> {
  /** The first golden case of each operation alone. */
  readonly brief?: boolean;
}

/** Registers a test that runs files in Chromium; ignored, and said to be, where there is none. */
export async function browserTest(
  name: string,
  files: readonly TestFile[],
  options: SuiteOptions = {},
): Promise<void> {
  const chromium = await findChromium();
  if (chromium === undefined) {
    console.warn(`SKIPPED: ${name}: no chromium to run (Debian: apt-get install chromium)`);
  }
  Deno.test({ name, ignore: chromium === undefined, fn: (t) => run(t, files, options) });

  async function run(t: Deno.TestContext, files: readonly TestFile[], o: SuiteOptions) {
    const failed: string[] = [];
    const onTest = async ({ name, ignored, error, printed }: TestOutcome): Promise<void> => {
      const passed = await t.step({
        name,
        ignore: ignored,
        fn() {
          for (const line of printed) console.log(line);
          assert(error === undefined, error);
        },
      });
      if (!passed && !ignored) failed.push(name);
    };
    const program = { files, steps: o.steps, disguised: o.disguised ?? false };
    const end = await runInBrowser(program, {
      onTest,
      transform: o.brief ? firstCases : undefined,
    });
    console.log(`${chromium}: ${end.adapter}, ${end.shaders.length} shaders`);
    assertEquals({ failed, error: end.error }, { failed: [], error: undefined });
    assertEquals(end.complaints, [], "the browser's shader compiler has nothing to say");
    assertEquals(missing(end.shaders), [], "every file in shaders/ was compiled");
  }
}

/** Golden files with the first case of each operation; other files as they are. */
function firstCases(path: string, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (!path.startsWith("/tests/golden/data/")) return bytes;
  const { tensors, metadata } = decodeSafetensors(bytes);
  const cases: Case[] = JSON.parse(metadata.cases);
  const first = cases.filter(({ op }, i) => cases.findIndex((c) => c.op === op) === i);
  return encodeSafetensors(tensors, { ...metadata, cases: JSON.stringify(first) });
}

const SHADERS = new URL("../../shaders/", import.meta.url);

/** Shader files whose first comment stands in none of the shaders. */
function missing(shaders: readonly string[]): string[] {
  const lines = new Set(shaders.flatMap((code) => code.split("\n").map((line) => line.trim())));
  return [...Deno.readDirSync(SHADERS)].map(({ name }) => name).filter((name) => {
    const [first] = Deno.readTextFileSync(new URL(name, SHADERS)).split("\n");
    const words = first.trim().split(/\$[A-Z]+/).map((text) => RegExp.escape(text));
    const filledIn = new RegExp(`^${words.join(".*")}$`);
    return ![...lines].some((line) => filledIn.test(line));
  });
}

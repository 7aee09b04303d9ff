import { assertEquals, assertLess } from "@std/assert";
import type { MemorySeen } from "./measure_memory.ts";

const STEPS = 2000;
const WARM = 400;
const MEBIBYTE = 2 ** 20;

Deno.test(`${STEPS} steps with grids and checkpoints keep memory where it was`, async () => {
  const script = new URL("measure_memory.ts", import.meta.url).pathname;
  const setup = new URL("../setup.ts", import.meta.url).pathname;
  const args = ["run", "-q", "--no-prompt", "-A", `--preload=${setup}`, script, String(STEPS)];
  const { success, stdout } = await new Deno.Command("deno", { args, stderr: "inherit" }).output();
  assertEquals(success, true);
  const seen: MemorySeen[] = JSON.parse(
    new TextDecoder().decode(stdout).trim().split("\n").at(-1)!,
  );
  const warm = seen.filter(({ step }) => step > WARM), last = warm.at(-1)!;
  assertEquals(last.step, STEPS);
  assertEquals(new Set(warm.map(({ buffers, bytes }) => `${buffers} ${bytes}`)).size, 1);
  // The least of each quarter: a process holds some garbage at most times, and the more the busier the machine is.
  const quarter = (from: number): number =>
    Math.min(
      ...warm.filter(({ step }) => step > from && step <= from + WARM).map(({ rss }) => rss),
    );
  const growth = (quarter(STEPS - WARM) - quarter(WARM)) / MEBIBYTE;
  console.log(`${last.buffers} buffers; the process grew by ${growth.toFixed(1)} MiB`);
  assertLess(growth, 15);
});

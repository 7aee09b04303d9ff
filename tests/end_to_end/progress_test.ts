import { assertEquals } from "@std/assert";
import { formatDuration, formatProgress } from "../../cli/progress.ts";

Deno.test("A line of progress has the step, the rate, the time left, losses and accuracies by name", () => {
  const line = formatProgress({
    step: 50,
    steps: 2000,
    imagesPerSecond: 312.4,
    secondsLeft: 249.4,
    metrics: { "d.adv_real": 0.51234, "accuracy.hair.real": 0.625, "holdout.hair": 0.5 },
  });
  assertEquals(
    line,
    "step   50/2000  312 images/s  4m09s left  d.adv_real 0.512  " +
      "accuracy.hair.real 63%  holdout.hair 50%",
  );
});

Deno.test("Durations are in the two largest of hours, minutes and seconds", () => {
  assertEquals([12.4, 249.4, 59.7, 7500].map(formatDuration), ["12s", "4m09s", "1m00s", "2h05m"]);
});

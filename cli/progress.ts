import type { Progress } from "../training/mod.ts";

/** More figures than this make a line that nobody reads. */
const MOST_FIGURES = 28;

/**
 * One line of progress: step, rate, time left, every loss by name, accuracies in per cent. Where these are too
 * many, only the adversarial losses and what is told of pictures are shown; the log has all.
 */
export function formatProgress(progress: Progress): string {
  const { step, steps, imagesPerSecond, secondsLeft, metrics } = progress;
  const all = Object.entries(metrics);
  const main = all.filter(([name]) =>
    /^[dg]\.adv/.test(name) || /^accuracy\..*\.fake$|^holdout/.test(name)
  );
  const shown = all.length > MOST_FIGURES ? main : all;
  const figures = shown.map(([name, value]) =>
    isShare(name) ? `${name} ${(100 * value).toFixed(0)}%` : `${name} ${value.toFixed(3)}`
  );
  if (shown.length < all.length) figures.push(`and ${all.length - shown.length} more`);
  return [
    `step ${String(step).padStart(String(steps).length)}/${steps}`,
    `${imagesPerSecond.toPrecision(3)} images/s`,
    `${formatDuration(secondsLeft)} left`,
    ...figures,
  ].join("  ");
}

function isShare(name: string): boolean {
  return name.startsWith("accuracy.") || name.startsWith("holdout.");
}

/** How often counting is heard of. */
const COUNT_MS = 2000;

/** Says on stderr now and then how far something has come that is counted, such as `Read 2000 of 7000`. */
export function countAloud(
  verb: string,
  things = "pictures",
): (done: number, total: number) => void {
  let saidAt = performance.now();
  return (done, total) => {
    const now = performance.now();
    if (now - saidAt < COUNT_MS || done === total) return;
    saidAt = now;
    console.error(`${verb} ${done} of ${total} ${things}`);
  };
}

/** A time such as `2h05m`, `4m09s` or `12s`. */
export function formatDuration(seconds: number): string {
  const total = Math.round(seconds);
  const pad = (n: number) => String(n).padStart(2, "0");
  if (total >= 3600) return `${Math.floor(total / 3600)}h${pad(Math.floor(total / 60) % 60)}m`;
  if (total >= 60) return `${Math.floor(total / 60)}m${pad(total % 60)}s`;
  return `${total}s`;
}

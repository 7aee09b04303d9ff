import { browserTest, ENGINE, OPS } from "./suite.ts";

await browserTest(
  "the same engine computes the same in a browser: every op once, every shader",
  [...OPS, ...ENGINE],
  { brief: true, steps: 2 },
);

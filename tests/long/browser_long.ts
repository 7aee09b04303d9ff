import { browserTest, ENGINE, OPS, THOROUGH } from "../browser/suite.ts";

await browserTest("all ops and derivatives are right in a browser too", [
  ...OPS,
  ...ENGINE,
  ...THOROUGH,
]);
await browserTest(
  "and so they are in the forms that the engine takes for GPUs",
  [...OPS, ...ENGINE],
  { disguised: true },
);

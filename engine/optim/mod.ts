// What moves parameters.

export { Adam, type AdamOptions } from "./adam.ts";
export { ExponentialMovingAverage } from "./exponential_moving_average.ts";

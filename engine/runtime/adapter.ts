// What an adapter says of itself.

/** Names the adapter for people. */
export interface AdapterDescription {
  /** What the adapter calls itself. */
  readonly name: string;
  /** Who made it, as a number or a word. */
  readonly vendor: string;
  /** Its family, where it tells. */
  readonly architecture: string;
  /** What drives it, with a version where it tells. */
  readonly driver: string;
  /** True for software adapters, which run shaders on the CPU. */
  readonly cpu: boolean;
}

/** The adapter's own words, sorted. */
export function describe(info: GPUAdapterInfo): AdapterDescription {
  const text = `${info.device} ${info.description} ${info.architecture} ${info.vendor}`;
  return {
    name: info.device && /[a-z]/i.test(info.device) ? info.device : info.description || "unnamed",
    vendor: info.vendor,
    architecture: info.architecture,
    driver: info.description,
    cpu: /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(text),
  };
}

/** All that tells an adapter and its driver from others, in one line: what measurements belong to. */
export function identify({ name, vendor, architecture, driver }: AdapterDescription): string {
  return [...new Set([name, driver, vendor, architecture])].filter((word) => word).join(" | ");
}

import { UserError } from "../data/mod.ts";
import { type Device, identify, type KernelSite, siteKey } from "../engine/mod.ts";
import { asUserError, exists, replaceFile } from "./files.ts";

/** Which variant of each kernel a run uses, by adapter and kernel. */
const KERNELS = "kernels.json";

/** Variants by adapter, as `identify` names it, and by kernel, as `siteKey` does. */
type KernelFile = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Chooses variants for kernels, and sets them on the device; what it leaves goes by the static guess. */
export type ChooseKernels = (sites: readonly KernelSite[]) => Promise<void>;

/**
 * Lets the device use the variants that a run used before on this adapter, for another variant's sums
 * would differ in their last bits. Returns the sites that the run has none for, which are reset to the
 * static guess.
 *
 * Throws a `UserError` where what the run has is damaged.
 */
export async function restoreKernels(
  folder: string,
  sites: readonly KernelSite[],
  options: { device: Device; onMessage?: (message: string) => void },
): Promise<KernelSite[]> {
  const { device, onMessage = () => {} } = options;
  const used = (await readKernels(folder))[identify(device.adapter)] ?? {};
  const gone = new Set<string>();
  const open = sites.filter((site) => {
    const variant: string | undefined = used[siteKey(site)];
    const known = variant !== undefined && site.candidates.includes(variant);
    if (variant !== undefined && !known) gone.add(`${variant} of ${site.family}`);
    device.variants.set(site, known ? variant : undefined);
    return !known;
  });
  if (gone.size > 0) {
    onMessage(
      `${folder} was computed with kernels that are gone (${[...gone].join(", ")}): ` +
        `numbers can differ in their last bits from here on`,
    );
  }
  return open;
}

/**
 * Decides once for the life of a run, on each adapter, which variants its kernels come in: those that it
 * used before, or else those that `choose` sets, or else the static guess. What was decided is on disk
 * before anything is computed with it, so that a run that goes on computes the same bits.
 */
export async function settleKernels(
  folder: string,
  sites: readonly KernelSite[],
  options: { device: Device; choose?: ChooseKernels; onMessage?: (message: string) => void },
): Promise<void> {
  const { device, choose } = options;
  const open = await restoreKernels(folder, sites, options);
  if (open.length === 0) return;
  await choose?.(open);
  const file = await readKernels(folder), adapter = identify(device.adapter);
  const now = Object.fromEntries(open.map((site) => [
    siteKey(site),
    device.variants.get(site.family, site.shape) ?? site.candidates[0],
  ]));
  const whole = { ...file, [adapter]: { ...file[adapter], ...now } };
  await replaceFile(
    `${folder}/${KERNELS}`,
    new TextEncoder().encode(JSON.stringify(whole, null, 2)),
  );
}

async function readKernels(folder: string): Promise<KernelFile> {
  const path = `${folder}/${KERNELS}`;
  if (!await exists(path)) return {};
  const text = await asUserError(`Cannot read ${path}`, () => Deno.readTextFile(path));
  try {
    const file: unknown = JSON.parse(text);
    if (isRecord(file) && Object.values(file).every(isVariants)) return file as KernelFile;
  } catch {
    // It is no JSON, which is damage as well.
  }
  throw new UserError(
    `${path} is damaged. Without it the run goes on, but may not end with the same bits: ` +
      `delete it to choose kernels anew`,
  );
}

function isVariants(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((variant) => typeof variant === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

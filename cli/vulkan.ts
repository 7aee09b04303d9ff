/**
 * Why no WebGPU adapter was found, and what would bring one. On Linux WebGPU needs the Vulkan
 * loader, a driver listed in a JSON file, and a device that the driver can use; Mesa's lavapipe is a
 * driver whose device is the CPU, so that it works everywhere.
 */

/** What decides what is missing. */
export interface Facts {
  readonly os: typeof Deno.build.os;
  /** The contents of /etc/os-release; empty where there is none. */
  readonly osRelease: string;
  /** Whether libvulkan.so.1 was found. */
  readonly loader: boolean;
  /** Paths of the driver files that the loader reads; those of `override` need not exist. */
  readonly drivers: readonly string[];
  /** An environment variable that replaces the list of drivers, with its value. */
  readonly override?: readonly [name: string, value: string];
}

const PACKAGES = ["mesa-vulkan-drivers", "libvulkan1"];
const SOFTWARE_DRIVER = /\/lvp_icd[^/]*\.json$/;
const LIBRARY_FOLDERS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/usr/local/lib",
];
const DRIVER_FOLDERS = [
  "/usr/share/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
  "/etc/vulkan/icd.d",
];

/** Looks around on this machine. */
export function gatherFacts(): Facts {
  const override = (["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] as const)
    .map((name) => [name, Deno.env.get(name) ?? ""] as const)
    .find(([, value]) => value !== "");
  return {
    os: Deno.build.os,
    osRelease: readText("/etc/os-release"),
    loader: LIBRARY_FOLDERS.some((folder) => exists(`${folder}/libvulkan.so.1`)),
    drivers: override ? override[1].split(":") : DRIVER_FOLDERS.flatMap(listJson),
    override,
  };
}

/** One sentence: why there is no adapter. */
export function reasonOf(facts: Facts): string {
  const { loader, drivers, override } = facts;
  if (facts.os !== "linux") return "the graphics driver offers none that Deno can use";
  if (!loader) return "the Vulkan loader, libvulkan.so.1, is not installed";
  if (override) return `${override[0]} names ${override[1]} as the driver, which found no device`;
  if (drivers.length === 0) {
    return `the Vulkan loader is installed but no driver is: no file in ${DRIVER_FOLDERS[0]}`;
  }
  const names = drivers.map((path) => path.slice(path.lastIndexOf("/") + 1)).join(", ");
  return `none of the Vulkan drivers (${names}) found a device to use`;
}

/**
 * The arguments of `apt-get` that bring a software adapter, or `undefined` where that would not
 * help or this is neither Debian nor Ubuntu.
 */
export function installArguments(facts: Facts): readonly string[] | undefined {
  const { os, osRelease, loader, drivers, override } = facts;
  const debian = os === "linux" && /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(osRelease);
  const complete = loader && drivers.some((path) => SOFTWARE_DRIVER.test(path));
  if (!debian || complete || (loader && override)) return undefined;
  return ["install", "--yes", "--no-install-recommends", ...PACKAGES];
}

/** One sentence: what a person can do where nothing is installed for them. */
export function adviceOf(facts: Facts): string {
  const { os, loader, override } = facts;
  const install = installArguments(facts);
  if (install) return `Install Mesa's software adapter, as root: apt-get ${install.join(" ")}`;
  if (os === "darwin") return "Update macOS: WebGPU needs a Mac with Metal";
  if (os === "windows") return "Update the graphics driver: WebGPU needs Direct3D 12";
  if (loader && override) return `Unset ${override[0]}, or let it name a driver that is installed`;
  return "Install the Vulkan loader and Mesa's software driver: dnf install vulkan-loader " +
    "mesa-vulkan-drivers (Fedora), pacman -S vulkan-icd-loader vulkan-swrast (Arch)";
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function listJson(folder: string): string[] {
  if (!exists(folder)) return [];
  return [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`)
    .filter((path) => path.endsWith(".json")).sort();
}

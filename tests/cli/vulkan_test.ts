import { assertEquals, assertStringIncludes } from "@std/assert";
import { adviceOf, type Facts, installArguments, reasonOf } from "../../cli/vulkan.ts";

const debian: Facts = {
  os: "linux",
  osRelease: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
  loader: false,
  drivers: [],
};
const install = [
  "install",
  "--yes",
  "--no-install-recommends",
  "mesa-vulkan-drivers",
  "libvulkan1",
];

Deno.test("A machine without the Vulkan loader is told so, and on Debian it can be installed", () => {
  assertStringIncludes(reasonOf(debian), "libvulkan.so.1, is not installed");
  assertEquals(installArguments(debian), install);
  assertEquals(
    adviceOf(debian),
    `Install Mesa's software adapter, as root: apt-get ${install.join(" ")}`,
  );
});

Deno.test("A derivative of Ubuntu is known by ID_LIKE", () => {
  const osRelease = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n';
  assertEquals(installArguments({ ...debian, osRelease }), install);
});

Deno.test("A loader without drivers, and drivers without a device, get the software driver", () => {
  const noDriver = { ...debian, loader: true };
  assertStringIncludes(reasonOf(noDriver), "no file in /usr/share/vulkan/icd.d");
  assertEquals(installArguments(noDriver), install);
  const noDevice = { ...noDriver, drivers: ["/usr/share/vulkan/icd.d/nvidia_icd.json"] };
  assertStringIncludes(reasonOf(noDevice), "(nvidia_icd.json) found a device");
  assertEquals(installArguments(noDevice), install);
});

Deno.test("Nothing is installed where the software driver is there already", () => {
  const drivers = ["/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"];
  assertEquals(installArguments({ ...debian, loader: true, drivers }), undefined);
});

Deno.test("Nothing is installed where a variable hides the drivers; the variable is named", () => {
  const hidden: Facts = {
    ...debian,
    loader: true,
    drivers: ["/nowhere"],
    override: ["VK_DRIVER_FILES", "/nowhere"],
  };
  assertEquals(
    reasonOf(hidden),
    "VK_DRIVER_FILES names /nowhere as the driver, which found no device",
  );
  assertEquals(installArguments(hidden), undefined);
  assertStringIncludes(adviceOf(hidden), "Unset VK_DRIVER_FILES");
});

Deno.test("Other systems are told what to install, and nothing is installed", () => {
  const fedora = { ...debian, osRelease: "ID=fedora\n" };
  assertEquals(installArguments(fedora), undefined);
  assertStringIncludes(adviceOf(fedora), "dnf install");
  const mac: Facts = { os: "darwin", osRelease: "", loader: false, drivers: [] };
  assertEquals(installArguments(mac), undefined);
  assertStringIncludes(adviceOf(mac), "macOS");
});

import type { Device } from "../engine/mod.ts";
import { defineCommand } from "./command.ts";
import { openDevice } from "./device.ts";
import { table } from "./help.ts";
import { measureRates, type Rates } from "./measure.ts";

/** What is wrong, or slower than need be, and what to do. */
export interface Finding {
  readonly problem: string;
  readonly fix: string;
}

/** `kao doctor`: what kao runs on, how fast it is, and what is wrong with it. */
export const command = defineCommand({
  name: "doctor",
  summary: "Show the adapter, its features and speed, and what is wrong",
  positionals: {},
  options: {},
}, async () => {
  console.log(`Deno ${Deno.version.deno}, ${Deno.build.target}`);
  const device = await openDevice({ install: false });
  const rates = await measureRates(device);
  console.log(describe(device, rates));
  const findings = diagnose(device, rates, listGraphicsDevices());
  for (const { problem, fix } of findings) console.log(`\n! ${problem}\n  ${fix}`);
  if (findings.length === 0) console.log("\nNothing is wrong.");
  device.destroy();
});

/** What {@linkcode diagnose} looks at of a device. */
export interface Examined {
  readonly adapter: { readonly name: string; readonly cpu: boolean };
  readonly features: ReadonlySet<string>;
  readonly limits: { readonly maxBufferSize: number };
}

/**
 * Everything that is wrong with a device.
 *
 * @param graphicsDevices Files by which the system offers graphics hardware.
 */
export function diagnose(
  device: Examined,
  rates: Rates,
  graphicsDevices: readonly string[],
): Finding[] {
  const findings: Finding[] = [];
  const { adapter, features, limits } = device;
  if (!(rates.error < 1e-3)) {
    findings.push({
      problem: `Matrix products are wrong by up to ${rates.error}`,
      fix: "Update the graphics driver; training on it would not work",
    });
  }
  if (adapter.cpu) {
    findings.push(
      graphicsDevices.length === 0
        ? {
          problem: "The adapter is the CPU, for this machine shows no graphics hardware",
          fix: "Everything works, but slowly: use a machine with a GPU for larger pictures",
        }
        : {
          problem: `The adapter is the CPU although there is ${graphicsDevices.join(", ")}`,
          fix: "Install the Vulkan driver of the GPU, and see to it that you may open that file",
        },
    );
  }
  if (limits.maxBufferSize < 2 ** 28) {
    findings.push({
      problem: `No buffer may be larger than ${mebibytes(limits.maxBufferSize)}`,
      fix: "Where a step does not fit, lower --batch",
    });
  }
  if (!features.has("timestamp-query")) {
    findings.push({
      problem: "The adapter has no timestamp-query: kernels are timed by the clock of the host",
      fix: "Update the graphics driver if it is old",
    });
  }
  return findings;
}

function describe(device: Device, rates: Rates): string {
  const { adapter, limits, features } = device;
  return table([
    ["Adapter", adapter.name + (adapter.cpu ? " (the CPU)" : "")],
    ["Driver", adapter.driver || "not told"],
    ["Backend", backend()],
    ["Features", [...features].sort().join(" ") || "none"],
    ["Largest buffer", mebibytes(limits.maxBufferSize)],
    [
      "Workgroup",
      `${limits.maxComputeInvocationsPerWorkgroup} threads, ` +
      `${limits.maxComputeWorkgroupStorageSize / 1024} KiB of shared memory`,
    ],
    ["Storage buffers", `${limits.maxStorageBuffersPerShaderStage} a shader`],
    ["Matrix product", `${significant(rates.gflops)} GFLOP/s (${rates.side} x ${rates.side}, f32)`],
    ["Copy", `${significant(rates.gigabytes)} GB/s (read and written)`],
  ]);
}

function backend(): string {
  const chosen = Deno.env.get("DENO_WEBGPU_BACKEND");
  if (chosen) return chosen;
  return { darwin: "metal", windows: "dx12 or vulkan" }[Deno.build.os as string] ?? "not known";
}

/** The files by which Linux offers GPUs to programs. */
function listGraphicsDevices(): string[] {
  if (Deno.build.os !== "linux") return [];
  return ["/dev/nvidia0", "/dev/dri/renderD128", "/dev/dxg"].filter((path) => {
    try {
      return Deno.statSync(path).isCharDevice;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}

function significant(value: number): string {
  return value.toPrecision(3).replace(/e\+?/, "e");
}

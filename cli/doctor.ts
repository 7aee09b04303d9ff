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
  const findings = diagnose({
    deno: Deno.version.deno,
    backend: backend(),
    cpu: device.adapter.cpu,
    error: rates.error,
  });
  for (const { problem, fix } of findings) console.log(`\n! ${problem}\n  ${fix}`);
  if (findings.length === 0) console.log("\nNothing is wrong.");
  device.destroy();
});

/** What {@linkcode diagnose} looks at. */
export interface Examined {
  readonly deno: string;
  /** The WebGPU backend by the name that DENO_WEBGPU_BACKEND gives it; empty where not known. */
  readonly backend: string;
  /** Whether the adapter is the CPU. */
  readonly cpu: boolean;
  /** See {@linkcode Rates}. */
  readonly error: number;
}

/** The Deno that kao is tested on. */
const TESTED_DENO = "2.9.6";

/** Everything that is wrong, the worst first. */
export function diagnose({ deno, backend, cpu, error }: Examined): Finding[] {
  const findings: Finding[] = [];
  if (!(error < 1e-3)) {
    findings.push({
      problem: `Matrix products are wrong, by up to ${error}: nothing can be trained on this`,
      fix: "Update the graphics driver",
    });
  }
  if (isOlder(deno, TESTED_DENO)) {
    findings.push({
      problem: `Deno ${deno} is older than ${TESTED_DENO}, which kao is tested on`,
      fix: `deno upgrade, or call npx -y deno@${TESTED_DENO}`,
    });
  }
  if (backend === "gl") {
    findings.push({
      problem: "WebGPU runs on OpenGL, which is slower and lacks features",
      fix: "Unset DENO_WEBGPU_BACKEND",
    });
  }
  if (cpu) {
    findings.push({
      problem: "The adapter is the CPU: everything works, but slowly",
      fix: "If this machine has a GPU, install its Vulkan driver (NVIDIA in a container: let it " +
        "have the graphics capability, NVIDIA_DRIVER_CAPABILITIES=all)",
    });
  }
  return findings;
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map((part) => parseInt(part)));
  const first = a.findIndex((part, i) => part !== b[i]);
  return first >= 0 && a[first] < b[first];
}

function describe(device: Device, rates: Rates): string {
  const { adapter, limits, features } = device;
  return table([
    ["Adapter", adapter.name + (adapter.cpu ? " (the CPU)" : "")],
    ["Driver", adapter.driver || "not told"],
    ["Backend", backend() || "not told"],
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
  return Deno.env.get("DENO_WEBGPU_BACKEND") ?? (Deno.build.os === "darwin" ? "metal" : "");
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}

function significant(value: number): string {
  return value.toPrecision(3).replace(/e\+?/, "e");
}

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diagnose } from "../../cli/doctor.ts";
import { kao } from "./kao.ts";

const sound = { deno: "2.9.6", backend: "vulkan", cpu: false, error: 1e-5 };

Deno.test("diagnose() finds nothing wrong with a GPU that computes correctly", () => {
  assertEquals(diagnose(sound), []);
  assertEquals(diagnose({ ...sound, deno: "2.10.0" }), []);
});

Deno.test("diagnose() names each thing that is wrong, the worst first", () => {
  const findings = diagnose({ deno: "2.8.9", backend: "gl", cpu: true, error: NaN });
  assertEquals(findings.length, 4);
  assertMatch(findings[0].problem, /Matrix products are wrong, by up to NaN/);
  assertMatch(findings[1].problem, /Deno 2\.8\.9 is older/);
  assertMatch(findings[2].fix, /Unset DENO_WEBGPU_BACKEND/);
  assertMatch(findings[3].problem, /The adapter is the CPU/);
});

Deno.test("kao doctor measures the adapter", async () => {
  const { code, stdout } = await kao(["doctor"]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, `Deno ${Deno.version.deno}`);
  for (const row of ["Adapter", "Driver", "Backend", "Features", "Largest buffer", "Workgroup"]) {
    assertMatch(stdout, new RegExp(`^${row} +\\S`, "m"));
  }
  const product = Number(stdout.match(/^Matrix product +(\S+) GFLOP\/s/m)?.[1]);
  const copy = Number(stdout.match(/^Copy +(\S+) GB\/s/m)?.[1]);
  assertEquals([product > 0.1, copy > 0.01], [true, true], `${product} GFLOP/s, ${copy} GB/s`);
});

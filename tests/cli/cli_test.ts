import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { kao } from "./kao.ts";

const noDriver = { VK_DRIVER_FILES: "/nonexistent", VK_ICD_FILENAMES: "" };

const commands = [
  "quickstart",
  "train",
  "config",
  "sample",
  "eval",
  "draw",
  "plugin",
  "models",
  "tune",
  "doctor",
  "adapter",
];

Deno.test("kao --help lists every command", async () => {
  const { code, stdout } = await kao(["--help"]);
  assertEquals(code, 0);
  for (const name of commands) {
    assertMatch(stdout, new RegExp(`^  ${name} +\\S`, "m"));
  }
});

Deno.test("Every command answers --help with its usage", async () => {
  for (const name of commands) {
    const { code, stdout, stderr } = await kao([name, "--help"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `Usage: kao ${name}`);
  }
});

Deno.test("An unknown command or option is one line that names the nearest, without a stack", async () => {
  assertEquals(await kao(["smaple"]), {
    code: 1,
    stdout: "",
    stderr: "kao: Unknown command smaple (did you mean sample?); --help lists them all\n",
  });
  assertEquals(await kao(["adapter", "--no-instal"]), {
    code: 1,
    stdout: "",
    stderr: "kao: Unknown option --no-instal (did you mean --no-install?); --help lists them all\n",
  });
});

Deno.test("kao --version is that of the package", async () => {
  const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
  assertEquals(await kao(["--version"]), { code: 0, stdout: `kao ${version}\n`, stderr: "" });
});

Deno.test("What a task may not do is one line that names the task that may", async () => {
  const { code, stderr } = await kao(["--out", "/elsewhere"], {}, "quickstart");
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /\nkao: Requires read access to "\/elsewhere[^\n]* does not have: "deno task kao" has\n$/,
  );
});

Deno.test("KAO_DEBUG=stack shows where an error came from", async () => {
  const { code, stderr } = await kao(["smaple"], { KAO_DEBUG: "stack" });
  assertEquals(code, 1);
  assertMatch(stderr, /^ {4}at main .*cli\.ts/m);
});

Deno.test("Without an adapter there is one line that says why and what to do", async () => {
  for (const args of [["adapter"], ["adapter", "--no-install"]]) {
    const { code, stdout, stderr } = await kao(args, noDriver);
    assertEquals([code, stdout], [1, ""]);
    assertEquals(
      stderr,
      "kao: No WebGPU adapter: VK_DRIVER_FILES names /nonexistent as the driver, which found no " +
        "device. Unset VK_DRIVER_FILES, or let it name a driver that is installed\n",
    );
  }
});

Deno.test("kao adapter names the adapter, once, and nothing else", async () => {
  const { code, stderr } = await kao(["adapter"], { XDG_RUNTIME_DIR: "" });
  assertEquals(code, 0);
  assertMatch(stderr, /^Adapter: [^\n]+\n$/);
});

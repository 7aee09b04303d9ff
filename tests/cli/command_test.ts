import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { defineCommand } from "../../cli/command.ts";
import { helpOf } from "../../cli/help.ts";
import { checkValue } from "../../plugin/mod.ts";
import { UserError } from "../../data/mod.ts";

const fixed = {
  count: { type: "integer", short: "n", default: 1, min: 1, help: "How many" },
  flip: { type: "boolean", default: true, help: "Do not mirror" },
} as const;

/** A command that takes one option a condition of its run, and remembers what it was called with. */
function sampler() {
  const calls: unknown[] = [];
  const command = defineCommand({
    name: "sample",
    summary: "Write pictures",
    positionals: { run: { help: "Folder of a run" } },
    options: fixed,
    moreOptions({ positionals }) {
      const { run } = positionals()!;
      const hair = { type: "choice", choices: [`${run}-red`, "blue"], help: "Hair" } as const;
      return Promise.resolve({ options: { hair }, found: undefined });
    },
  }, ({ options, given, positionals, more }) => {
    calls.push({ count: options.count + 0, given, run: positionals.run, more });
  });
  return { command, calls };
}

Deno.test("defineCommand() passes fixed and further options apart from each other", async () => {
  const { command, calls } = sampler();
  await command.run(["r1", "--hair", "r1-red", "-n", "3"]);
  assertEquals(calls, [{ count: 3, given: { count: 3 }, run: "r1", more: { hair: "r1-red" } }]);
});

Deno.test("defineCommand() checks further options against what the words say", async () => {
  const { command, calls } = sampler();
  await assertRejects(
    () => command.run(["r1", "--hair", "bleu"]),
    UserError,
    "--hair must be one of r1-red, blue, not bleu (did you mean blue?)",
  );
  assertEquals(calls, []);
});

Deno.test("helpOf() shows words, flags, values, ranges and defaults", () => {
  const help = helpOf({
    name: "sample",
    summary: "Write pictures",
    positionals: { run: { help: "Folder of a run" }, other: { help: "Else", optional: true } },
    options: fixed,
  });
  assertStringIncludes(help, "Usage: kao sample <run> [other] [options]");
  assertStringIncludes(help, "  run                    Folder of a run\n");
  assertStringIncludes(help, "  -n, --count <integer>  How many (at least 1, default 1)\n");
  assertStringIncludes(help, "  --no-flip              Do not mirror\n");
});

Deno.test("checkValue() takes values of files by the same rules, and names where they stand", () => {
  assertEquals(checkValue("kao.yaml: count", fixed.count, 3), 3);
  assertRejects(
    // deno-lint-ignore require-await
    async () => checkValue("kao.yaml: count", fixed.count, "3"),
    UserError,
    "kao.yaml: count must be a whole number at least 1, not 3",
  );
});

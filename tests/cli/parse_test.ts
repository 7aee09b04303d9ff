import { assertEquals, assertThrows } from "@std/assert";
import type { Options, Positionals } from "../../plugin/mod.ts";
import { parseCommandLine, parsePositionals } from "../../cli/parse.ts";
import { UserError } from "../../data/mod.ts";

const declared = {
  positionals: {
    data: { help: "Folder of pictures" },
    more: { help: "Another", optional: true },
  } satisfies Positionals,
  options: {
    out: { type: "string", help: "Where to write", placeholder: "folder" },
    count: { type: "integer", short: "n", default: 4, min: 1, max: 64, help: "How many" },
    tilt: { type: "number", help: "Degrees" },
    flip: { type: "boolean", default: true, help: "Do not mirror" },
    force: { type: "boolean", help: "Overwrite" },
    classOn: { type: "choice", choices: ["real", "both"], default: "real", help: "Which" },
    conditions: { type: "list", help: "Columns" },
    Hair_2: { type: "string", flag: "Hair_2", help: "A condition" },
  } satisfies Options,
};

function parse(...args: string[]) {
  return parseCommandLine(args, declared);
}

function refuses(args: readonly string[], message: string) {
  assertThrows(() => parse(...args), UserError, message);
}

Deno.test("parseCommandLine() fills in defaults and leaves the rest undefined", () => {
  const { options, given, positionals } = parse("faces");
  assertEquals(options, {
    out: undefined,
    count: 4,
    tilt: undefined,
    flip: true,
    force: false,
    classOn: "real",
    conditions: undefined,
    Hair_2: undefined,
  });
  assertEquals(given, {});
  assertEquals(positionals, { data: "faces", more: undefined });
});

Deno.test("parseCommandLine() reads every type of option, before and after the words", () => {
  const { options, given, positionals } = parse(
    ...["--out", "007", "faces", "-n", "16", "--tilt=-0.5", "--no-flip", "--force", "more"],
    ...["--class-on", "both", "--conditions", "hair, eyes"],
  );
  assertEquals(options, {
    out: "007",
    count: 16,
    tilt: -0.5,
    flip: false,
    force: true,
    classOn: "both",
    conditions: ["hair", "eyes"],
    Hair_2: undefined,
  });
  assertEquals({ ...given, Hair_2: undefined }, options);
  assertEquals(positionals, { data: "faces", more: "more" });
});

Deno.test("parseCommandLine() takes a negative number as a value, and the last of two flags", () => {
  assertEquals(parse("faces", "--tilt", "-2.5", "--count", "3", "-n", "5").given, {
    tilt: -2.5,
    count: 5,
  });
});

Deno.test("parseCommandLine() keeps an option that was given apart from its default", () => {
  assertEquals(parse("faces", "--count", "4", "--flip").given, { count: 4, flip: true });
});

Deno.test("parseCommandLine() takes what follows -- for words", () => {
  assertEquals(parse("--", "--faces").positionals.data, "--faces");
});

Deno.test("parseCommandLine() names the nearest option for an unknown one", () => {
  refuses(["faces", "--cuont", "4"], "Unknown option --cuont (did you mean --count?)");
  refuses(["faces", "--no-flop"], "Unknown option --no-flop (did you mean --no-flip?)");
  refuses(["faces", "--classon=both"], "Unknown option --classon (did you mean --class-on?)");
  refuses(["faces", "--zebra"], "Unknown option --zebra; --help lists them all");
  refuses(["faces", "-z", "4"], "Unknown option -z");
});

Deno.test("parseCommandLine() refuses values that do not fit, saying what would", () => {
  refuses(["faces", "-n", "0"], "--count must be a whole number from 1 to 64, not 0");
  refuses(["faces", "--count", "1.5"], "--count must be a whole number from 1 to 64, not 1.5");
  refuses(["faces", "--count", "many"], "--count must be a whole number from 1 to 64, not many");
  refuses(["faces", "--tilt", "Infinity"], "--tilt must be a number, not");
  refuses(["faces", "--tilt="], "--tilt needs a value: --tilt <number>");
  refuses(["faces", "--out"], "--out needs a value: --out <folder>");
  refuses(
    ["faces", "--class-on", "boht"],
    "--class-on must be one of real, both, not boht (did you mean both?)",
  );
  refuses(["faces", "--flip=no"], "--flip is set by --flip and cleared by --no-flip, not by no");
  refuses(["faces", "--conditions", "hair,,eyes"], "--conditions must be a list of words");
});

Deno.test("parseCommandLine() refuses too few words and too many", () => {
  refuses([], "Missing data: Folder of pictures");
  refuses(["a", "b", "c"], "Unexpected argument c: expected data more");
});

Deno.test("parseCommandLine() takes a flag of its own as it is written", () => {
  assertEquals(parse("faces", "--Hair_2", "pink").given, { Hair_2: "pink" });
  refuses(["faces", "--hair_2", "pink"], "Unknown option --hair_2 (did you mean --Hair_2?)");
});

Deno.test("parseCommandLine() tells the option of a plugin that was not asked for from a mistake", () => {
  const list = { type: "list", help: "Plugins" } as const;
  const lambda = { type: "number", flag: "dragan.lambda", help: "Weight" } as const;
  const message = (flag: string, options: Options) =>
    assertThrows(() => parseCommandLine([flag, "5"], { positionals: {}, options }), UserError)
      .message;
  assertEquals(
    message("--dragan.lambda", { plugin: list }),
    "Unknown option --dragan.lambda; it needs --plugin dragan",
  );
  const loaded = { plugin: list, "dragan.lambda": lambda };
  assertEquals(
    message("--dragan.lamda", loaded),
    "Unknown option --dragan.lamda (did you mean --dragan.lambda?); --help lists them all",
  );
  assertEquals(
    message("--dragan.momentum", loaded),
    "Unknown option --dragan.momentum; --help lists them all",
  );
});

Deno.test("parsePositionals() skips unknown options with their values", () => {
  const { data, more } = parsePositionals(["run", "--hair", "blonde", "-n", "4"], declared);
  assertEquals([data, more], ["run", undefined]);
});

Deno.test("A flag of a plugin's option has a dot in it", () => {
  const options: Options = {
    "hue.bins": { type: "integer", flag: "hue.bins", help: "How many" },
    "warm-tone.soft": { type: "boolean", default: true, flag: "warm-tone.soft", help: "Not" },
    "hue.range": { type: "list", flag: "hue.range", help: "From, to" },
    out: { type: "string", help: "Where" },
  };
  const read = (...args: string[]) => parseCommandLine(args, { options, positionals: {} }).given;
  assertEquals(read("--hue.bins", "3", "--no-warm-tone.soft", "--hue.range=-0.5,1"), {
    "hue.bins": 3,
    "warm-tone.soft": false,
    "hue.range": ["-0.5", "1"],
  });
  assertEquals(read("--out", "a.b"), { out: "a.b" });
  assertEquals(read("--hue.range", "-0.5,1"), { "hue.range": ["-0.5", "1"] });
  assertThrows(
    () => read("--hue.bin", "3"),
    UserError,
    "Unknown option --hue.bin (did you mean --hue.bins?)",
  );
  assertThrows(() => read("--warm-tone.soft=maybe"), UserError, "is set by --warm-tone.soft");
});

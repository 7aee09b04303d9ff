import { assertEquals } from "@std/assert";
import { cacheFolder } from "../../cli/cache_folder.ts";

Deno.test("caches lie where each system has them", () => {
  const path = (os: typeof Deno.build.os, variables: Record<string, string>) =>
    cacheFolder({ os, variables: (name) => variables[name] });
  assertEquals(path("linux", { HOME: "/home/a" }), "/home/a/.cache/kao");
  assertEquals(path("linux", { HOME: "/home/a", XDG_CACHE_HOME: "/fast" }), "/fast/kao");
  assertEquals(path("darwin", { HOME: "/Users/a" }), "/Users/a/Library/Caches/kao");
  assertEquals(path("windows", { LOCALAPPDATA: "C:\\a" }), "C:\\a/kao");
  assertEquals([path("linux", {}), path("windows", { HOME: "/a" })], [undefined, undefined]);
});

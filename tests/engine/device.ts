// One device for the tests of a process, and a check that they leave nothing on it.

import { assertEquals } from "@std/assert";
import { Device } from "../../engine/mod.ts";

let opened: Promise<Device> | undefined;

/** The device that tests share. */
export function device(): Promise<Device> {
  return opened ??= Device.open();
}

/** Runs `fn`, which must not leave more buffers alive than there were. */
export async function withoutLeaks(fn: () => Promise<void>): Promise<void> {
  const { memory } = await device();
  await fn();
  assertEquals((await device()).memory, memory);
}

/**
 * Sets two environment variables where they are not set: without XDG_RUNTIME_DIR the drivers print
 * a warning that means nothing here; without DENO_WEBGPU_BACKEND, WebGPU falls back from Vulkan to
 * OpenGL, which lacks features and hides that Vulkan is not installed.
 */
export function prepareEnvironment(): void {
  if (Deno.build.os !== "linux") return;
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
  if (!Deno.env.get("DENO_WEBGPU_BACKEND")) Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
}

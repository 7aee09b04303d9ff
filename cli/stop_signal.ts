/**
 * Aborts its signal when this process is asked to stop, by Ctrl-C or SIGTERM. Only the first request is
 * caught: a second one ends the process at once.
 */
export function stopSignal(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const release = () => {
    for (const name of signals) Deno.removeSignalListener(name, stop);
  };
  const stop = () => {
    console.error("Stopping: this step is finished and saved. Once more to stop at once, unsaved");
    release();
    controller.abort();
  };
  for (const name of signals) Deno.addSignalListener(name, stop);
  return { signal: controller.signal, [Symbol.dispose]: release };
}

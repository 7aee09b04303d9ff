// Tells whether WebGPU finds an adapter here and now. In a worker, because a process keeps what its
// first look at the system found, and each worker looks anew: see device.ts.

/// <reference lib="deno.worker" />

const adapter = await navigator.gpu?.requestAdapter();
self.postMessage(Boolean(adapter));
self.close();

// Tests of the gate that take a part of their cases there, with all of them.

import { takeAll } from "../breadth.ts";

takeAll();

await import("../engine/epilogues_test.ts");
await import("../engine/join_test.ts");
await import("../engine/ops_fused_test.ts");
await import("../engine/passes_test.ts");
await import("../engine/prologues_test.ts");
await import("../gradients/gradients_test.ts");
await import("../kernels/conv2d_test.ts");
await import("../properties/pointwise_test.ts");
await import("../properties/products_test.ts");

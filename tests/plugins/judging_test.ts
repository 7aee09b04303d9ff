import { assertEquals } from "@std/assert";
import { Conv2d, Device, Module, type Tensor } from "../../engine/mod.ts";
import { onlooker, trainTiny } from "./loss_run.ts";
import { chosen } from "./tiny_run.ts";

await Device.open();

/** A discriminator that counts how often it is asked. */
class Counting extends Module {
  readonly conv = new Conv2d(3, 1, { kernelSize: 2 });
  asked = 0;

  forward(images: Tensor): { source: Tensor } {
    this.asked++;
    return { source: this.conv.forward(images) };
  }
}

Deno.test("A discriminator is asked for what a loss needs of it alone, and once", async () => {
  const counting = new Counting();
  await trainTiny([onlooker({ discriminators: { counting } }), chosen("dragan")], { steps: 2 });
  // Real pictures and fakes in its own loss, fakes in the generator's: not where the penalty is taken.
  assertEquals(counting.asked, 3);
});

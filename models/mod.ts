/**
 * Generators, discriminators, and the presets that they are known by.
 *
 * @module
 */

export {
  AcganDiscriminator,
  AcganGenerator,
  discriminatorStages,
  type DiscriminatorWidths,
  type GeneratorWidths,
  type Verdict,
} from "./acgan.ts";
export { type Preset, type PresetName, presets } from "./presets.ts";
export { SrresnetGenerator, type SrresnetWidths } from "./srresnet.ts";

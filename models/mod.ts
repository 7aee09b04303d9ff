/**
 * Generators, discriminators, and the presets that they are known by.
 *
 * @module
 */

export {
  AcganDiscriminator,
  AcganGenerator,
  type DiscriminatorWidths,
  type GeneratorWidths,
} from "./acgan.ts";
export {
  architectureOf,
  checkNetworks,
  discriminatorArchitectures,
  type DiscriminatorName,
  type DiscriminatorSettings,
  discriminatorStages,
  generatorArchitectures,
  type GeneratorName,
  type GeneratorSettings,
  makeDiscriminator,
  makeGenerator,
  type NetworkSettings,
  resizeNetworks,
} from "./architectures.ts";
export { GirlsmoeDiscriminator, type GirlsmoeWidths } from "./girlsmoe.ts";
export { inspectNetworks, type Layer, type Layers } from "./inspect.ts";
export type {
  DiscriminatorNetwork,
  GeneratorNetwork,
  MakeNormalization,
  Normalization,
  NormalizationSite,
  Verdict,
} from "./network.ts";
export {
  OdenaDiscriminator,
  type OdenaDiscriminatorWidths,
  OdenaGenerator,
  type OdenaGeneratorWidths,
} from "./odena.ts";
export { type Preset, type PresetName, presets } from "./presets.ts";
export { SrresnetGenerator, type SrresnetWidths } from "./srresnet.ts";
export { ZjusctDiscriminator, type ZjusctWidths } from "./zjusct.ts";

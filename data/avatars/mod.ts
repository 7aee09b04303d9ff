/** Drawn avatars: labelled pictures whose truth is known. */
export {
  type AvatarAttributes,
  HAIR_STYLES,
  type HairStyle,
  randomAttributes,
} from "./attributes.ts";
export { avatarDataset } from "./dataset.ts";
export { drawAvatar } from "./draw.ts";
export { fitAvatar, type FittedAvatar } from "./fit.ts";
export { measureHairColour } from "./measure.ts";
export {
  type Colour,
  EYE_COLOURS,
  type EyeColour,
  HAIR_COLOURS,
  type HairColour,
  SKIN_TONES,
  type SkinTone,
} from "./palette.ts";
export { type AvatarOptions, type Avatars, drawAvatars, writeAvatars } from "./write.ts";

/** Data sets from folders, batches for steps, drawn avatars, and pictures for people. */
export {
  type AvatarAttributes,
  avatarDataset,
  type AvatarOptions,
  type Avatars,
  drawAvatar,
  drawAvatars,
  EYE_COLOURS,
  type EyeColour,
  fitAvatar,
  type FittedAvatar,
  HAIR_COLOURS,
  HAIR_STYLES,
  type HairColour,
  type HairStyle,
  measureHairColour,
  randomAttributes,
  SKIN_TONES,
  type SkinTone,
  writeAvatars,
} from "./avatars/mod.ts";
export { type Batch, Batches } from "./batches.ts";
export { decodePicture, encodePng, type Picture, PictureError } from "./codecs.ts";
export { formatCsv } from "./csv.ts";
export type { Dataset, LabelColumn, Problem } from "./dataset.ts";
export { UserError } from "./errors.ts";
export { encodeGif } from "./gif.ts";
export { describeProblem, loadDataset, type LoadOptions } from "./load.ts";
export { LABELS_FILE } from "./labels.ts";
export { mirror } from "./mirror.ts";
export { grid, type GridOptions, type Sheet } from "./pictures.ts";
export { splitDataset } from "./split.ts";

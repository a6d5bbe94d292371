import type { TrainSettings } from "../../settings/train-settings.ts";

/** The sentences that the word is learnt in, as the authors have them (rinongal/textual_inversion, ldm/data/personalized*.py), {} for the word. */
const OBJECT = [
  "a photo of a {}",
  "a rendering of a {}",
  "a cropped photo of the {}",
  "the photo of a {}",
  "a photo of a clean {}",
  "a photo of a dirty {}",
  "a dark photo of the {}",
  "a photo of my {}",
  "a photo of the cool {}",
  "a close-up photo of a {}",
  "a bright photo of the {}",
  "a cropped photo of a {}",
  "a photo of the {}",
  "a good photo of the {}",
  "a photo of one {}",
  "a close-up photo of the {}",
  "a rendition of the {}",
  "a photo of the clean {}",
  "a rendition of a {}",
  "a photo of a nice {}",
  "a good photo of a {}",
  "a photo of the nice {}",
  "a photo of the small {}",
  "a photo of the weird {}",
  "a photo of the large {}",
  "a photo of a cool {}",
  "a photo of a small {}",
];

const STYLE = [
  "a painting in the style of {}",
  "a rendering in the style of {}",
  "a cropped painting in the style of {}",
  "the painting in the style of {}",
  "a clean painting in the style of {}",
  "a dirty painting in the style of {}",
  "a dark painting in the style of {}",
  "a picture in the style of {}",
  "a cool painting in the style of {}",
  "a close-up painting in the style of {}",
  "a bright painting in the style of {}",
  "a cropped painting in the style of {}",
  "a good painting in the style of {}",
  "a close-up painting in the style of {}",
  "a rendition in the style of {}",
  "a nice painting in the style of {}",
  "a small painting in the style of {}",
  "a weird painting in the style of {}",
  "a large painting in the style of {}",
];

/** The sentences of a training; none where the photos' own prompt is the only one. */
export function sentences({ sentences: kind, token }: Pick<TrainSettings, "sentences" | "token">): string[] {
  if (kind === "plain") return [];
  return (kind === "style" ? STYLE : OBJECT).map((sentence) => sentence.replace("{}", () => token));
}

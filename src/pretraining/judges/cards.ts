import type { Card } from "../card.ts";
import { ALIGN_RECIPE, CLIP_RECIPE, DINO_RECIPE } from "./recipes.ts";

/** What the judges' model cards say beside figures. */
type About = Pick<Card, "title" | "text" | "stages">;

const thousands = (count: number) => count.toLocaleString("en");

const WORLD =
  "A miniature for a miniature: it knows the small rendered world of this package (`src/world`, 12 classes, 12 places, 10 colours, " +
  "64 x 64 pixels) and nothing else. It was trained by this program, on two processor cores.";

export const ALIGN_CARD: About = {
  title: "align: the reward's judge of the rendered world",
  text: [
    WORLD,
    "Kind: transformers' `AlignModel`, an EfficientNet for pictures and a BERT for texts. RPO's reward compares its picture features " +
      "with those of the reference photos (ALIGN-I) and with its text features (ALIGN-T), so they must know both what a caption says " +
      "and what no caption says: which very instance is shown.",
    `Data: ${thousands(ALIGN_RECIPE.pictures)} scenes of all kinds, and an album of ${ALIGN_RECIPE.views} views of each of ` +
      `${thousands(ALIGN_RECIPE.instances)} instances (other places, poses, light, things worn; never recoloured), all with captions.`,
    `Recipe: batches of ${ALIGN_RECIPE.batch}, half of them pairs of views of instances from ${ALIGN_RECIPE.classes} classes. Loss: the ` +
      "symmetric contrastive loss of pictures and captions (captions that mean the same are all right) plus the supervised contrastive " +
      `loss of the pairs at temperature ${ALIGN_RECIPE.instanceTemperature}. AdamW, peak rate ${ALIGN_RECIPE.rate.peak}; batch ` +
      "normalisation by the batch while training, by statistics measured afterwards with the averaged weights in the file.",
  ],
  stages: ["align", "export-align"],
};

export const CLIP_CARD: About = {
  title: "clip: a judge of what pictures of the rendered world show",
  text: [
    WORLD,
    "Kind: transformers' `CLIPModel`, two transformers. It judges generated pictures (class, place, colour) and gives CLIP-I and CLIP-T. " +
      "It has another architecture and another seed than the reward's judge and has seen other pictures, and none that a model drew.",
    `Data: ${thousands(CLIP_RECIPE.pictures)} scenes with captions. Recipe: batches of ${CLIP_RECIPE.batch}, symmetric contrastive loss in ` +
      `which captions that mean the same are all right, every other batch captioned with the class alone; AdamW, peak rate ${CLIP_RECIPE.rate.peak}.`,
  ],
  stages: ["clip", "export-clip"],
};

export const DINO_CARD: About = {
  title: "dino: a judge of identity in the rendered world",
  text: [
    WORLD,
    "Kind: transformers' `ViTModel`; the class token after the last norm is the feature. It stands where DINO stands in DreamBench's " +
      "metrics, but it was not trained by self-distillation: views of one instance find each other among views of other instances of " +
      "their class (supervised contrastive loss).",
    `Data: an album of ${DINO_RECIPE.views} views of each of ${thousands(DINO_RECIPE.instances)} instances, without any text. Recipe: ` +
      `batches of ${DINO_RECIPE.batch / 2} pairs from ${DINO_RECIPE.classes} classes, temperature ${DINO_RECIPE.instanceTemperature}; AdamW, ` +
      `peak rate ${DINO_RECIPE.rate.peak}.`,
  ],
  stages: ["dino", "export-dino"],
};

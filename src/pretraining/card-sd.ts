import type { Card } from "./card.ts";
import { REFINE_RECIPE, UNET_RECIPE, VAE_RECIPE } from "./recipes.ts";

const thousands = (count: number) => count.toLocaleString("en");

/** What the miniature's model card says beside figures. */
export const SD_CARD: Pick<Card, "title" | "text" | "stages"> = {
  title: "sd: a Stable Diffusion in miniature",
  text: [
    "A latent diffusion model in diffusers' layout (`StableDiffusionPipeline`: AutoencoderKL, UNet2DConditionModel, CLIPTextModel) that " +
      "draws 64 x 64 pictures of the small rendered world of this package (`src/world`, 12 classes, 12 places, 10 colours) and knows " +
      "nothing else. It was trained by this program on two processor cores, and serves to try out and to study fine-tuning without " +
      "downloads and without a GPU.",
    `Autoencoder: 16 x 16 latents of 8 channels. ${thousands(VAE_RECIPE.pictures)} scenes, batches of ${VAE_RECIPE.batch} crops of ` +
      `${VAE_RECIPE.crop} pixels; absolute, squared and gradient differences, and a KL term of weight ${VAE_RECIPE.klWeight}. It went on with ` +
      `${thousands(REFINE_RECIPE.pictures)} whole pictures, batches of ${REFINE_RECIPE.batch}, squared differences counting ${REFINE_RECIPE.squareWeight} times as much.`,
    `U-Net and text encoder: ${thousands(UNET_RECIPE.pictures)} scenes with captions, batches of ${UNET_RECIPE.batch}, velocity prediction, ` +
      `timesteps whose logit is normal, peak rate ${UNET_RECIPE.rate.peak}; no caption in ${UNET_RECIPE.withoutCaption * 100} % of samples, for ` +
      `guidance, and a meaningless identifier before the class word in ${UNET_RECIPE.withIdentifier * 100} %, so that one means nothing until a ` +
      "subject is taught.",
    "The U-Net's first 14,000 steps were on latents of an earlier state of the autoencoder, whose decoder had gone on alone before both " +
      "went on; then it began anew with its rate's rise, on the latents that are here. They are among the steps below. The commands at the end " +
      "train all of them on the final latents: they make this model's sibling.",
    "`rpo.json` holds the settings with which `rpo train` and `rpo demo` fine-tune it; `prompts-live.json` and `prompts-object.json` are " +
      "RPO's training and validation prompts as far as this world knows their words.",
  ],
  stages: ["vae", "refine", "sd", "export-sd"],
};

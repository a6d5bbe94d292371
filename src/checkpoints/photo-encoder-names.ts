/** Which CLIP goes with which model. */
export const PHOTO_ENCODERS =
  "Stable Diffusion 1.x takes openai/clip-vit-large-patch14, 2.x laion/CLIP-ViT-H-14-laion2B-s32B-b79K";

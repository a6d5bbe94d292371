import { classPicturesShown } from "../../settings/prior.ts";
import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "Custom Diffusion",
  charts: ({ priorWeight }) => [
    {
      ...PHOTO_LOSS,
      caption: "Denoising loss on the photos, where they lie in their frame, summed over the channels.",
    },
    {
      curve: "prior",
      label: "L_prior",
      description: "Denoising loss on the class pictures",
      caption: `Denoising loss on the pictures of the class, which counts ${priorWeight} times.`,
    },
  ],
  startingPictures: classPicturesShown,
  tags: { loss: "loss/total" },
};

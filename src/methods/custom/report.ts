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
      caption: `Denoising loss on the starting model's own pictures of the class, which counts ${priorWeight} times.`,
    },
  ],
  startingPictures: () => ({
    title: "Class pictures",
    text: "The starting model's pictures of the class. Every step trains on one of them beside a photo, so that the model keeps drawing the class as it did.",
  }),
  tags: { loss: "loss/total" },
};

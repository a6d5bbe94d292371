import { classPicturesShown } from "../../settings/prior.ts";
import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "DreamBooth with prior preservation",
  charts: ({ priorWeight }) => [
    PHOTO_LOSS,
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

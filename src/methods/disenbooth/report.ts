import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "DisenBooth",
  charts: ({ weakWeight, contrastWeight }) => [
    {
      ...PHOTO_LOSS,
      caption: "Denoising loss on the photos, by the text and what the image adapter makes of the photo.",
    },
    {
      curve: "weak",
      label: "L_weak",
      description: "Denoising loss on the photos by the text alone",
      caption: `Denoising loss on the photos by the text alone, which counts ${weakWeight} times.`,
    },
    {
      curve: "contrast",
      label: "cos",
      description: "Likeness of the text and of what the image adapter makes of the photo",
      caption: `Cosine between the text's mean state and what the image adapter makes of the photo, which counts ${contrastWeight} times.`,
      against: { value: 0, text: "nothing in common" },
    },
  ],
  tags: { loss: "loss/total", contrast: "disenbooth/cosine" },
};

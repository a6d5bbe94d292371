import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: ({ preference }) =>
    preference === true ? "Reward preference optimization" : "Fine-tuning on the photos alone (no preference)",
  charts: ({ preference, beta }) => [
    PHOTO_LOSS,
    ...(preference === true
      ? [
          {
            curve: "pref",
            label: "L_pref",
            description: "Preference loss",
            caption: `Preference loss at β = ${beta}.`,
            against: { value: Math.LN2, text: "ln 2: undecided" },
          },
          {
            curve: "margin",
            label: "margin",
            description: "Margin",
            caption:
              "Margin: by how much denoising improved more on the photo than on the negative. Above 0 the photo is preferred.",
            against: { value: 0, text: "starting model" },
          },
        ]
      : []),
  ],
  startingPictures: ({ labels }) => ({
    title: "Negatives",
    text: `The starting model's pictures of the training prompts. Every step pairs one of them with a photo; ${
      labels === "soft"
        ? "their ALIGN-T with the prompt says how much the photo is preferred, and under each stands how much that was on average."
        : "by their ALIGN-T with the prompt it is drawn which of the two is preferred, and under each stands how often that was the photo."
    }`,
  }),
  tags: { loss: "loss/total", margin: "preference/margin", label: "preference/label" },
};

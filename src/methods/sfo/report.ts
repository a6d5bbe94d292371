import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "Subject fidelity optimization",
  charts: ({ roundBeta }) => [
    PHOTO_LOSS,
    {
      curve: "pref",
      label: "L_sfo",
      description: "Preference loss",
      caption: `Preference loss at β = ${roundBeta}.`,
      against: { value: Math.LN2, text: "ln 2: undecided" },
    },
    {
      curve: "margin",
      label: "margin",
      description: "Margin",
      caption:
        "Margin: by how much denoising improved more on the picture of the whole prompt than on that of the degraded one.",
      against: { value: 0, text: "undecided" },
    },
  ],
  rounds: ({ roundEvery, positives }) => ({
    title: "Own pictures",
    text:
      positives === "photos"
        ? `Every ${roundEvery} steps the model draws the photos' prompt without the identifier. These pictures are what the photos are preferred to.`
        : `Every ${roundEvery} steps the model draws the training prompts as it is, whole and with something left out, from the same noises. The pictures of the whole prompts are preferred. The first round is the starting model's and is learnt nothing from.`,
  }),
  tags: { loss: "loss/total", margin: "preference/margin" },
};

import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "Direct preference optimization on own pictures",
  charts: ({ roundBeta }) => [
    PHOTO_LOSS,
    {
      curve: "pref",
      label: "L_dpo",
      description: "Preference loss",
      caption: `Preference loss at β = ${roundBeta}; 0 in the steps that use the starting model's pictures.`,
      against: { value: Math.LN2, text: "ln 2: undecided" },
    },
    {
      curve: "margin",
      label: "margin",
      description: "Margin",
      caption:
        "Margin: by how much denoising improved more on the better picture than on the worse. Above 0 the better is preferred.",
      against: { value: 0, text: "undecided" },
    },
  ],
  rounds: ({ roundEvery }) => ({
    title: "Own pictures",
    text: `Every ${roundEvery} steps the model draws the training prompts as it is, and learns until the next round to prefer the best picture of a prompt to the worst. The first round is the starting model's and is learnt nothing from.`,
  }),
  tags: { loss: "loss/total", margin: "preference/margin" },
};

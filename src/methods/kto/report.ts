import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "Kahneman-Tversky optimization on own pictures",
  charts: ({ roundBeta }) => [
    PHOTO_LOSS,
    {
      curve: "kto",
      label: "L_kto",
      description: "Loss of utility",
      caption: `Loss of utility at β = ${roundBeta}; 0 in the steps that use the starting model's pictures.`,
      against: { value: 0.5, text: "½: as the model compared with" },
    },
    {
      curve: "gain",
      label: "gain",
      description: "Gain",
      caption: "Gain: by how much denoising the picture improved. A liked one's should rise, the others' fall.",
      against: { value: 0, text: "none" },
    },
  ],
  rounds: ({ roundEvery }) => ({
    title: "Own pictures",
    text: `Every ${roundEvery} steps the model draws the training prompts as it is. Those of a prompt that the reward puts in the better half are liked. The first round is the starting model's and is learnt nothing from.`,
  }),
  tags: { loss: "loss/total", gain: "preference/gain", liked: "preference/liked" },
};

import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "Own pictures by their advantages",
  charts: ({ roundBeta }) => [
    PHOTO_LOSS,
    {
      curve: "advantage",
      label: "A",
      description: "Advantage",
      caption:
        "Advantage of the step's picture over the others of its prompt; 0 where the round is the starting model's.",
      against: { value: 0, text: "average" },
    },
    {
      curve: "ratio",
      label: "ρ",
      description: "Ratio of likelihoods",
      caption: `How much likelier the step's picture has become, as its denoising error tells at β = ${roundBeta}.`,
      against: { value: 1, text: "as it was" },
    },
  ],
  rounds: ({ roundEvery }) => ({
    title: "Own pictures",
    text: `Every ${roundEvery} steps the model draws the training prompts as it is. What of a prompt's pictures is better than their average is learnt, and what is worse unlearnt. The first round is the starting model's and is learnt nothing from.`,
  }),
  tags: { loss: "loss/total", advantage: "preference/advantage", ratio: "preference/ratio" },
};

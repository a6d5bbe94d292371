import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "Fine-tuning near the starting model",
  charts: ({ preserveWeight }) => [
    PHOTO_LOSS,
    {
      curve: "distance",
      label: "‖θ − θ₀‖²",
      description: "Squared distance of the weights from where they began",
      caption: `Squared distance of the weights from where they began, which counts ${preserveWeight} times.`,
      against: { value: 0, text: "starting model" },
    },
  ],
  tags: { loss: "loss/total", distance: "preservation/distance" },
};

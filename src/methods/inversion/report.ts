import { PHOTO_LOSS, type MethodReport } from "../../settings/method-entry.ts";

export const report: MethodReport = {
  title: () => "Textual inversion",
  charts: () => [
    PHOTO_LOSS,
    {
      curve: "moved",
      label: "‖v − v₀‖²",
      description: "Squared distance of the word's vectors from where they began",
      caption: "Squared distance of the word's vectors from where they began: nothing else of the model changes.",
      against: { value: 0, text: "the initial word" },
    },
  ],
  tags: { loss: "loss/total", moved: "word/distance" },
};

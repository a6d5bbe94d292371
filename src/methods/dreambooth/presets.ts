import type { Preset } from "../../settings/method-entry.ts";

const PRIOR = { priorWeight: 1, earlyStopping: false } as const;

/** What was published for Stable Diffusion, all of it for a batch of one. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  paper: {
    source: "the paper, arXiv 2208.12242, section 4: about 1000 steps and class pictures",
    settings: { ...PRIOR, adapter: "full", learningRate: 5e-6, steps: 1000, classPictures: 1000 },
  },
  diffusers: {
    source: "the README of diffusers' train_dreambooth.py, with prior preservation",
    settings: { ...PRIOR, adapter: "full", learningRate: 5e-6, steps: 800, classPictures: 200 },
  },
  "diffusers-plain": {
    source: "the same without prior preservation",
    settings: { adapter: "full", learningRate: 5e-6, steps: 400, priorWeight: 0, earlyStopping: false },
  },
  "diffusers-lora": {
    source: "that of train_dreambooth_lora.py, which has no prior",
    settings: {
      ...{ adapter: "lora", rank: 4, loraAlpha: 4, targets: "attention" },
      ...{ learningRate: 1e-4, steps: 500, priorWeight: 0, earlyStopping: false },
    },
  },
};

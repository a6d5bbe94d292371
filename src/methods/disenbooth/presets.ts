import type { Preset } from "../../settings/method-entry.ts";

/** The authors' own script, for Stable Diffusion 2.1 (base). Their README trains dogs and cats for about 1000 steps, vases and the like for 2000. */
export const PRESETS = {
  authors: {
    source: "the authors' train_disenbooth.sh",
    settings: { adapter: "lora", rank: 4, loraAlpha: 4, learningRate: 1e-4, steps: 2000 },
  },
} as const satisfies Readonly<Record<string, Preset>>;

import { expect, test } from "vitest";
import { golden } from "../../../tests/formats/golden.ts";
import { openStableDiffusion } from "../stable-diffusion.ts";
import { modelSpec } from "./model-spec.ts";

// as library/sai_model_spec.py of sd-scripts has them
test.each([
  ["sd1", "epsilon", 768, "stable-diffusion-v1/lora", "diffusers", "epsilon"],
  ["sd2", "v_prediction", 1024, "stable-diffusion-v2-768-v/lora", "diffusers", "v"],
  ["sd2", "epsilon", 1024, "stable-diffusion-v2-512/lora", "diffusers", "epsilon"],
  [
    "sdxl",
    "epsilon",
    2048,
    "stable-diffusion-xl-v1-base/lora",
    "https://github.com/Stability-AI/generative-models",
    "epsilon",
  ],
] as const)(
  "%s that predicts %s",
  async (family, predictionType, crossAttentionDim, architecture, implementation, prediction) => {
    const model = await openStableDiffusion(golden(`${family}.safetensors`));
    const spec = modelSpec(
      { title: "dog" },
      {
        ...model,
        scheduler: { ...model.scheduler, values: { ...model.scheduler.values, prediction_type: predictionType } },
        unet: { ...model.unet, config: { ...model.unet.config, crossAttentionDim } },
      },
    );
    expect(spec).toMatchObject({
      "modelspec.architecture": architecture,
      "modelspec.implementation": implementation,
      "modelspec.prediction_type": prediction,
      "modelspec.title": "dog",
    });
    expect(spec).not.toHaveProperty("modelspec.trigger_phrase");
  },
);

import { noiseSchedule } from "../../diffusion/schedule.ts";
import type { StableDiffusion } from "../stable-diffusion.ts";

/** What a LoRA's header says of it beside the model that it is for. */
export interface LoraFacts {
  /** The file's name, without its suffix. */
  readonly title: string;
  /** What prompts say of the subject; undefined where nobody knows. */
  readonly trigger?: string | undefined;
}

/**
 * A LoRA's ModelSpec, by which programs show a model and filter: every key that has to be there, and those that are known. The date is
 * not: the same checkpoint gives the same bytes. The hash is added by who writes the tensors.
 *
 * Source: https://github.com/Stability-AI/ModelSpec, 1.0.1; architectures and implementations as sd-scripts' library/sai_model_spec.py
 * has them.
 */
export function modelSpec(
  { title, trigger }: LoraFacts,
  { family, unet, scheduler, resolution }: Pick<StableDiffusion, "family" | "unet" | "scheduler" | "resolution">,
): Record<string, string> {
  const predictsV = noiseSchedule(scheduler).predictionType === "v_prediction";
  const second = unet.config.crossAttentionDim === 1024;
  const base =
    family === "sdxl"
      ? "stable-diffusion-xl-v1-base"
      : second
        ? `stable-diffusion-v2-${predictsV ? "768-v" : "512"}`
        : "stable-diffusion-v1";
  return {
    "modelspec.sai_model_spec": "1.0.1",
    "modelspec.architecture": `${base}/lora`,
    "modelspec.implementation": family === "sdxl" ? "https://github.com/Stability-AI/generative-models" : "diffusers",
    "modelspec.title": title,
    "modelspec.resolution": `${resolution}x${resolution}`,
    "modelspec.prediction_type": predictsV ? "v" : "epsilon",
    ...(trigger !== undefined && {
      "modelspec.trigger_phrase": trigger,
      "modelspec.usage_hint": `Prompts say: ${trigger}`,
    }),
  };
}

/** Of the bytes of all tensors, as they lie in the file. */
export const SPEC_HASH = "modelspec.hash_sha256";

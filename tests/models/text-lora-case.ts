import { loadTextModels } from "../../src/checkpoints/text-encoder.ts";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../../src/diffusion/schedule.ts";
import { add, mul } from "../../src/graph/ops/index.ts";
import { objective as rpo } from "../../src/methods/rpo/objective.ts";
import { ATTENTION_TARGETS, TEXT_TARGETS } from "../../src/nn/lora.ts";
import { TRAIN_DEFAULTS } from "../../src/settings/train-settings.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { textInputs } from "../../src/training/live-texts.ts";
import type { Objective } from "../../src/training/objective-scope.ts";
import { trainLora } from "../../src/training/trainable.ts";
import { startInputsOf, type TrainedTexts } from "../../src/training/trained-texts.ts";
import type { Feeds } from "../../src/training/trainer.ts";
import { MODEL, SDXL } from "../run/cli.ts";
import { openGolden, together } from "./golden.ts";

/** The training of tests/golden/text-lora/make.py: a LoRA of U-Net and text encoders, by RPO with a distance. */

export const [RANK, ALPHA, RATE] = [4, 8, 1e-3];
const [TEXT_RATE, TEXT_LENGTH] = [5e-4, 77];
export const PLAIN = ["a photo of a [V] dog", "a photo of a [V] dog"];
export const MODIFIER = ["a [V] dog on the Moon", "a green [V] dog"];
const settings = { ...TRAIN_DEFAULTS, beta: 3, preferenceWeight: 0.4, photoFloor: 0.5, preserveWeight: 0.3 };

export const CASES = [
  ["sd15", MODEL],
  ["sdxl", SDXL],
] as const;

const objective: Objective = (scope) => {
  const { loss, ...losses } = rpo(scope, settings);
  const distance = scope.displacement();
  return { loss: add(loss, mul(distance, settings.preserveWeight)), ...losses, distance };
};

export async function openCase([name, path]: (typeof CASES)[number]) {
  const model = await openStableDiffusion(path);
  const file = await openGolden(`text-lora/${name}.safetensors`);
  const { read } = file;
  const encoders = await loadTextModels(model);
  const start = await file.below("start.");
  const isText = (key: string) => key.startsWith("text_encoder");
  const own = (wanted: boolean) => new Map([...start].filter(([key]) => isText(key) === wanted));
  const texts: TrainedTexts = {
    lora: { rank: RANK, alpha: ALPHA, targets: TEXT_TARGETS },
    encoders,
    group: { name: "texts", start: own(true), learningRate: TEXT_RATE },
  };
  const { config } = model.unet;
  const lora = { rank: RANK, alpha: ALPHA, targets: ATTENTION_TARGETS };
  /** What is trained, as the trainer and the objective's graph want it. */
  const training = {
    ...{ config, objective, texts, trainable: trainLora(lora, own(false), { learningRate: RATE }) },
    ...{ batch: 2, latentSize: [config.sampleSize, config.sampleSize] as const, textLength: TEXT_LENGTH },
  };

  const inputs = textInputs(texts, TEXT_LENGTH);
  const textFeeds = async (as: string, kind: string, prompts: readonly string[]): Promise<Feeds> => {
    const { states, pooled } = startInputsOf(as);
    return {
      ...together(prompts.map((text) => inputs(text).feeds(as))),
      [states]: await read(`begun.${kind}.states`),
      ...(name === "sdxl" && { [pooled]: await read(`begun.${kind}.pooled`) }),
    };
  };
  const feedsAt = async (step: number): Promise<Feeds> => {
    const schedule = noiseSchedule(model.scheduler);
    const t = await read(`${step}.t`);
    const feeds: Record<string, Feeds[string]> = {
      ...(await textFeeds("prompt", "plain", PLAIN)),
      ...(await textFeeds("modifier", "modifier", MODIFIER)),
      timestep: t,
      label: await read(`${step}.label`),
      sizes: float32([64, 64, 0, 0, 64, 64, 64, 64, 0, 0, 64, 64], [2, 6]),
    };
    for (const kind of ["ref", "gen"]) {
      const [x, noise] = [await read(`${step}.${kind}.x`), await read(`${step}.${kind}.noise`)];
      feeds[`${kind}.noisy`] = addNoise(schedule, x, noise, [...t.data]);
      feeds[`${kind}.target`] = trainingTarget(schedule, x, noise, [...t.data]);
    }
    return feeds;
  };
  return { model, ...file, start, texts, training, feedsAt };
}

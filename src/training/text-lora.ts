import { TEXT_PARTS } from "../checkpoints/lora-files/keys.ts";
import type { TextLora } from "../checkpoints/lora.ts";
import type { LoadedTextModel } from "../diffusion/text-encoding.ts";
import { Graph } from "../graph/graph.ts";
import { initialLora, TEXT_TARGETS, type LoraConfig } from "../nn/lora.ts";
import { rootScope } from "../nn/scope.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { Random } from "../tensor/random.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { putTexts, type TrainedTexts } from "./trained-texts.ts";

type Settings = Pick<TrainSettings, "rank" | "loraAlpha" | "learningRate" | "textEncoderLearningRate" | "seed">;

/**
 * A LoRA of every text encoder's attention, as diffusers' `train_dreambooth_lora.py` and `train_dreambooth_lora_sdxl.py` have it with
 * `--train_text_encoder`, of the U-Net's rank and alpha.
 */
export function trainTextEncoders(settings: Settings, encoders: readonly LoadedTextModel[]): TrainedTexts {
  const { rank, loraAlpha: alpha, learningRate, textEncoderLearningRate = learningRate, seed } = settings;
  const lora: LoraConfig = { rank, alpha, targets: TEXT_TARGETS };
  const group = { name: "LoRA of the text encoders", start: new Map<string, Float32Tensor>() };
  const trained = { lora, encoders, group: { ...group, learningRate: textEncoderLearningRate } };
  const graph = new Graph();
  putTexts(trained, rootScope(graph), "text", { batch: 1, textLength: encoders[0].tokenizer.length });
  const start = initialLora(graph, new Random(seed).split("text encoder lora"));
  return { ...trained, group: { ...trained.group, start } };
}

/** The text encoders' LoRA as it is now, by the names that files have for it; none where none trains. @param parameters all that train */
export function textLorasIn(
  parameters: ReadonlyMap<string, Float32Tensor>,
  { lora, encoders }: Pick<TrainedTexts, "lora" | "encoders">,
): TextLora[] {
  if (lora === undefined) return [];
  const { rank, alpha } = lora;
  return encoders.map((_, i) => {
    const prefix = `${TEXT_PARTS[i]}.`;
    const own = [...parameters].flatMap(([name, tensor]): [string, Float32Tensor][] =>
      name.startsWith(prefix) ? [[nameInFile(name.slice(prefix.length)), tensor]] : [],
    );
    return { part: TEXT_PARTS[i], rank, alpha, parameters: new Map(own) };
  });
}

/** transformers before version 5 has a text encoder's layers below this name, and files have kept it. */
function nameInFile(name: string): string {
  return name.startsWith("text_model.") ? name : `text_model.${name}`;
}

import { ModelError } from "../../system/errors.ts";

/** The models of a pipeline that LoRA files adapt, by diffusers' names. */
export type LoraPart = "unet" | "text_encoder" | "text_encoder_2";

/** Those of the text encoders, in a pipeline's order. */
export const TEXT_PARTS = ["text_encoder", "text_encoder_2"] as const satisfies readonly LoraPart[];

/** How a file spells its keys: kohya's trainers join a layer's path by underscores, diffusers and PEFT by dots. */
export type Spelling = "kohya" | "dotted";

/** What a key of a LoRA file holds. */
export interface LoraKey {
  readonly spelling: Spelling;
  readonly part: LoraPart;
  /** The layer as the file spells it, without the part's prefix. */
  readonly layer: string;
  readonly piece: "down" | "up" | "alpha";
}

const KOHYA_PARTS: readonly (readonly [prefix: string, part: LoraPart])[] = [
  ["lora_unet_", "unet"],
  ["lora_te_", "text_encoder"],
  ["lora_te1_", "text_encoder"],
  ["lora_te2_", "text_encoder_2"],
];

const KOHYA_PIECES = { "lora_down.weight": "down", "lora_up.weight": "up", alpha: "alpha" } as const;

/** Ends of dotted keys: PEFT's, diffusers' of 2023, its text encoders', and kohya's pieces behind a dotted path. */
const DOTTED_PIECES: readonly (readonly [end: string, piece: LoraKey["piece"]])[] = [
  [".lora_A.weight", "down"],
  [".lora_B.weight", "up"],
  [".lora.down.weight", "down"],
  [".lora.up.weight", "up"],
  [".lora_linear_layer.down.weight", "down"],
  [".lora_linear_layer.up.weight", "up"],
  ["_lora.down.weight", "down"],
  ["_lora.up.weight", "up"],
  [".alpha", "alpha"],
];

/** Ways of adapting a layer that are not LoRA, by what their keys contain. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [/dora_scale|lora_magnitude_vector/, "DoRA"],
  [/\.hada_/, "LoHa"],
  [/\.lokr_/, "LoKr"],
  [/\.oft_|\.boft_/, "OFT"],
  [/\.lora_mid\./, "a convolution in three factors (LoCon with Tucker decomposition)"],
  [/\.(diff|diff_b|w_norm|b_norm|set_weight)$/, "whole weights or biases (LyCORIS full, norms)"],
  [/\.lora_embedding_[AB]$/, "a LoRA of an embedding"],
  [/lora_[AB]\.bias$|lora_(up|down)\.bias$/, "a LoRA with bias"],
  [/\.on_input$/, "IA3"],
  [
    /^(transformer|lora_transformer|diffusion_model|lora_prior)[._]/,
    "a LoRA of another kind of model (Flux, Stable Diffusion 3, ...)",
  ],
];

/**
 * Takes a key apart.
 * @throws ModelError for a kind of key that is not supported, naming it
 */
export function parseLoraKey(key: string, path: string): LoraKey {
  const other = OTHER_KINDS.find(([pattern]) => pattern.test(key));
  if (other !== undefined) throw new ModelError(`${path}: ${key} is ${other[1]}, which is not supported, only LoRA`);
  const parsed = parseKohya(key) ?? parseDotted(key);
  if (parsed === undefined)
    throw new ModelError(
      `${path}: ${key} is no key of a LoRA, expected such as lora_unet_[...]_to_q.lora_down.weight or unet.[...].to_q.lora_A.weight`,
    );
  return parsed;
}

function parseKohya(key: string): LoraKey | undefined {
  const known = KOHYA_PARTS.find(([prefix]) => key.startsWith(prefix));
  const dot = key.indexOf(".");
  if (known === undefined || dot < 0) return undefined;
  const end = key.slice(dot + 1);
  if (!Object.hasOwn(KOHYA_PIECES, end)) return undefined;
  const piece = KOHYA_PIECES[end as keyof typeof KOHYA_PIECES];
  return { spelling: "kohya", part: known[1], layer: key.slice(known[0].length, dot), piece };
}

function parseDotted(key: string): LoraKey | undefined {
  const known = DOTTED_PIECES.find(([end]) => key.endsWith(end));
  if (known === undefined) return undefined;
  const [end, piece] = known;
  // PEFT's wrapper, then the model within the pipeline; without either it is the U-Net's
  const path = key.slice(0, -end.length).replace(/^base_model\.model\./, "");
  const [, prefix = "unet", layer] = /^(?:(unet|text_encoder_2|text_encoder)\.)?(.+)$/.exec(path) ?? [];
  if (layer === undefined) return undefined;
  const part = prefix as LoraPart;
  return { spelling: "dotted", part, layer: presentLayer(layer, part, end.startsWith("_")), piece };
}

/** Layers of attention had processors in 2023, which held the adapters: `attn1.processor.to_q_lora`, `self_attn.to_q_lora`. */
function presentLayer(layer: string, part: LoraPart, inProcessor: boolean): string {
  const plain = layer.replace(".processor.", ".");
  if (!inProcessor) return plain;
  return part === "unet" ? plain.replace(/\.to_out$/, ".to_out.0") : plain.replace(/\.to_(q|k|v|out)$/, ".$1_proj");
}

import { ModelError } from "../../system/errors.ts";
import { kindOfKey } from "./other-kinds.ts";

/** The models of a pipeline that LoRA files adapt, by diffusers' names. */
export type LoraPart = "unet" | "text_encoder" | "text_encoder_2";

/** Those of the text encoders, in a pipeline's order. */
export const TEXT_PARTS = ["text_encoder", "text_encoder_2"] as const satisfies readonly LoraPart[];

/** How a file spells a layer's path: kohya's trainers and LyCORIS join it by underscores, diffusers, PEFT, ComfyUI and OneTrainer by dots. */
export type Spelling = "kohya" | "dotted";

/** The matrices and numbers that files have of a layer: LoRA's, the magnitude of DoRA, then those of LoHa and LoKr as they are named in files. */
const FACTORS = [
  "hada_w1_a",
  "hada_w1_b",
  "hada_w2_a",
  "hada_w2_b",
  "hada_t1",
  "hada_t2",
  "lokr_w1",
  "lokr_w1_a",
  "lokr_w1_b",
  "lokr_w2",
  "lokr_w2_a",
  "lokr_w2_b",
  "lokr_t2",
] as const;
export type Piece = "down" | "up" | "mid" | "alpha" | "dora_scale" | "lora_magnitude_vector" | (typeof FACTORS)[number];

/** What a key of a LoRA file holds. */
export interface LoraKey {
  readonly spelling: Spelling;
  /** The model that its layer is in; undefined where the key does not say it. */
  readonly part: LoraPart | undefined;
  /** The layer as the file spells it, without the part's prefix. */
  readonly layer: string;
  readonly piece: Piece;
}

/** Names before the layers of keys joined by underscores. LyCORIS' own wrapper, which SimpleTuner uses, says no part. */
const JOINED: readonly (readonly [prefix: string, part: LoraPart | undefined])[] = [
  ["lora_unet_", "unet"],
  ["lora_te_", "text_encoder"],
  ["lora_te1_", "text_encoder"],
  ["lora_te2_", "text_encoder_2"],
  ["lycoris_", undefined],
];

/** Names before the layers of dotted keys: of diffusers, then of ComfyUI, whose text encoders are named by their kind. */
const DOTTED: readonly (readonly [prefix: RegExp, part: LoraPart])[] = [
  [/^unet\./, "unet"],
  [/^text_encoder_2\./, "text_encoder_2"],
  [/^text_encoder\./, "text_encoder"],
  [/^(?:model\.)?diffusion_model\./, "unet"],
  [/^(?:text_encoders\.)?clip_g\.(?:transformer\.)?/, "text_encoder_2"],
  [/^(?:text_encoders\.)?clip_[lh]\.(?:transformer\.)?/, "text_encoder"],
];

/** An adapter's name in PEFT, such as `.default`. */
const ADAPTER = String.raw`(?:\.[^.]+)?`;

/** Ends of keys: kohya's, PEFT's, diffusers' of 2023, its text encoders', its processors'. */
const ENDS: readonly (readonly [end: RegExp, piece: Piece])[] = [
  [new RegExp(String.raw`\.lora_A${ADAPTER}\.weight$|\.lora_A$`), "down"],
  [new RegExp(String.raw`\.lora_B${ADAPTER}\.weight$|\.lora_B$`), "up"],
  [/(?:\.lora_down|[._]lora\.down|\.lora_linear_layer\.down)\.weight$/, "down"],
  [/(?:\.lora_up|[._]lora\.up|\.lora_linear_layer\.up)\.weight$/, "up"],
  [/\.lora_mid\.weight$/, "mid"],
  [/\.alpha$/, "alpha"],
  [/\.dora_scale$/, "dora_scale"],
  [
    new RegExp(String.raw`\.lora_magnitude_vector${ADAPTER}$|\.lora_magnitude_vector${ADAPTER}\.weight$`),
    "lora_magnitude_vector",
  ],
  ...FACTORS.map((factor) => [new RegExp(String.raw`\.${factor}${ADAPTER}$`), factor] as const),
];

/**
 * Takes a key apart.
 * @throws ModelError for a kind of key that is not supported, naming it
 */
export function parseLoraKey(key: string, path: string): LoraKey {
  const other = kindOfKey(key);
  if (other !== undefined)
    throw new ModelError(`${path}: ${key} is ${other}, which is not supported, only LoRA, DoRA, LoHa and LoKr`);
  const parsed = parse(key);
  if (parsed === undefined)
    throw new ModelError(
      `${path}: ${key} is no key of a LoRA, expected such as lora_unet_[...]_to_q.lora_down.weight or unet.[...].to_q.lora_A.weight`,
    );
  return parsed;
}

function parse(key: string): LoraKey | undefined {
  const known = ENDS.find(([end]) => end.test(key));
  if (known === undefined) return undefined;
  const [end, piece] = known;
  const stem = key.replace(end, "");
  const inProcessor = /_lora\.(?:down|up)\.weight$/.test(key);
  // PEFT's wrapper, then the model within the pipeline
  const path = stem.replace(/^base_model\.model\./, "");
  const joined = JOINED.find(([prefix]) => path.startsWith(prefix));
  if (joined !== undefined && !path.includes(".")) {
    const [prefix, part] = joined;
    const layer = path.slice(prefix.length);
    // diffusers' scripts join what its processors held by underscores
    return { spelling: "kohya", part, layer: inProcessor ? layer.replace(/_to_out$/, "_to_out_0") : layer, piece };
  }
  const dotted = DOTTED.find(([prefix]) => prefix.test(path));
  const part = dotted?.[1];
  const layer = dotted === undefined ? path : path.replace(dotted[0], "");
  if (layer === "") return undefined;
  return { spelling: "dotted", part, layer: presentLayer(layer, part, inProcessor), piece };
}

/** Layers of attention had processors in 2023, which held the adapters: `attn1.processor.to_q_lora`, `self_attn.to_q_lora`. */
function presentLayer(layer: string, part: LoraPart | undefined, inProcessor: boolean): string {
  const plain = layer.replace(".processor.", ".");
  if (!inProcessor) return plain;
  return part === "text_encoder" || part === "text_encoder_2"
    ? plain.replace(/\.to_(q|k|v|out)$/, ".$1_proj")
    : plain.replace(/\.to_out$/, ".to_out.0");
}

/** What files hold that is no LoRA of a Stable Diffusion 1.x, 2.x or XL, by their keys, so that a refusal can name it. */

/** Ways of adapting a layer that are not read, by what their keys contain. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\.oft_|\.boft_|\.oft_R\./, "OFT or BOFT"],
  [/\.(?:q_layer|p_layer)\.weight$|\.lambda_layer$/, "T-LoRA"],
  [/\.[ab][12]\.weight$|\.glora_/, "GLoRA"],
  [/\.on_input$|\.ia3_l(\.|$)/, "IA3"],
  [/\.lora_E(\.|$)|\.ranknum$/, "AdaLoRA"],
  [/\.vera_lambda_/, "VeRA"],
  [/\.lora_diag(\.|$)/, "KaSA"],
  [/\.lokr_t1(\.|$)/, "a LoKr whose first factor is decomposed in three"],
  [/\.(diff|diff_b|w_norm|b_norm|set_weight)$/, "whole weights or biases (LyCORIS full, norms)"],
  [/\.modules_to_save\./, "a whole layer trained beside the LoRA (PEFT's modules_to_save)"],
  [/\.base_layer\.(bias|weight)$/, "a bias or weight of the model itself, trained beside the LoRA (PEFT's bias)"],
  [/\.lora_embedding_[AB](\.|$)/, "a LoRA of an embedding"],
  [/\.trainable_tokens/, "trained tokens (PEFT's trainable_token_indices)"],
  [/lora_[AB](\.[^.]+)?\.bias$|[._](lora_|lora\.|lora_linear_layer\.)(up|down)\.bias$/, "a LoRA with bias"],
  [/\.reshape_weight$/, "a LoRA that gives its layer another shape"],
];

/** @returns what kind of adapter a key is of, where it is one that is not read */
export function kindOfKey(key: string): string | undefined {
  return KINDS.find(([pattern]) => pattern.test(key))?.[1];
}

/** Other models, by what some key of a LoRA of theirs contains; the first that any key has. */
const MODELS: readonly (readonly [RegExp, string])[] = [
  [/single_transformer_blocks|double_blocks|single_blocks/, "Flux, or a model built as it"],
  [/joint_blocks|transformer_blocks.*attn\.add_[qkv]_proj|transformer_blocks.*ff_context/, "Stable Diffusion 3"],
  [/^lora_prior_/, "Stable Cascade"],
  [/motion_modules/, "AnimateDiff"],
  [
    /^lora_te3_|^text_encoders\.t5|^text_encoder_3\.|^t5xxl\./,
    "Stable Diffusion 3 or Flux, whose text encoder T5 it adapts",
  ],
  [/^(lora_)?controlnet[._]|input_hint_block/, "a ControlNet"],
  [
    /^(base_model\.model\.)?(transformer|lora_transformer)[._]|^(diffusion_model\.|lora_unet_)(blocks|layers|transformer_blocks)[._]\d/,
    "a diffusion transformer (such as PixArt, Sana, Wan, Lumina, Qwen-Image)",
  ],
  [/^(base_model\.model\.)?model\.layers\.\d/, "a language model"],
];

/** @returns the model that a file's LoRA is of, where its keys say that it is none of the supported ones */
export function otherModelOf(keys: Iterable<string>): string | undefined {
  const all = [...keys];
  return MODELS.find(([pattern]) => all.some((key) => pattern.test(key)))?.[1];
}

import { ModelError } from "../system/errors.ts";

/**
 * What becomes of each field of PEFT's LoraConfig, LoHaConfig and LoKrConfig (PEFT 0.21). Those that say where an adapter is and how it
 * was trained change nothing: the file's keys say which layers it has.
 *
 * Refused is what adds to the model something else than the adapter's matrices, computes with them in another way, or changed the model
 * before training began, so that the matrices are of a model that is not there.
 */

/** Read elsewhere, or of no consequence. */
const HARMLESS = new Set([
  ...["peft_type", "r", "lora_alpha", "alpha", "use_rslora", "use_dora", "rank_pattern", "alpha_pattern"],
  ...["task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode"],
  ...["target_modules", "exclude_modules", "layers_to_transform", "layers_pattern"],
  ...["lora_dropout", "rank_dropout", "module_dropout", "rank_dropout_scale"],
  // of layers that keep their weights transposed, which no Stable Diffusion has: PEFT itself passes it over
  "fan_in_fan_out",
  // how matrices begin; the changes to the model go by init_lora_weights
  ...["init_weights", "loftq_config", "eva_config", "corda_config", "lora_ga_config"],
  // how gradients are kept, and where tied embeddings are
  ...["velora_config", "ensure_weight_tying"],
  // the shapes of LoHa's and LoKr's matrices, which the file has
  ...["use_effective_conv2d", "decompose_both", "decompose_factor"],
  // sizes and names for what is refused when it is used
  ...["qalora_group_size", "megatron_core", "runtime_config"],
]);

/** What each refused field is. */
const REFUSED: Readonly<Record<string, string>> = {
  lora_bias: "a LoRA with bias",
  modules_to_save: "whole layers trained beside the LoRA",
  trainable_token_indices: "tokens trained beside the LoRA",
  layer_replication: "a model with layers repeated",
  megatron_config: "a LoRA of Megatron's layers",
  use_qalora: "QA-LoRA, of a quantized model",
  kasa_config: "KaSA, which changes the model's own weights",
  monteclora_config: "MonteCLoRA, which draws its matrices at random",
  alora_invocation_tokens: "an activated LoRA, which begins at a token",
  use_bdlora: "a LoRA of block-diagonal matrices",
  arrow_config: "a router of several LoRAs",
  target_parameters: "a LoRA of parameters that are no layers",
};

/** Beginnings of `init_lora_weights` that leave the model as it is: noise, or parts of the model's matrices, and zero. */
const INITS = /^(true|false|gaussian|orthogonal|mica|eva)$/i;

/** Those that take away from the model's weights what the matrices begin with, or replace the weights by rounded ones. */
const CHANGES_MODEL = /^(olora|pissa|corda|loftq|lora_ga)/i;

/** @param where begins an error's message @throws ModelError for a field that changes the result and is not supported */
export function checkPeftFields(fields: ReadonlyMap<string, unknown>, where: string): void {
  for (const [key, value] of fields) {
    if (isNo(value)) continue;
    const shown = `${key} ${JSON.stringify(value)?.slice(0, 100)}`;
    if (key === "init_lora_weights") checkInit(value, `${where}: ${shown}`);
    else if (key === "bias") {
      if (value !== "none")
        throw new ModelError(`${where}: ${shown} is not supported: biases of the model trained beside the LoRA`);
    } else if (Object.hasOwn(REFUSED, key))
      throw new ModelError(`${where}: ${shown} is not supported: it says ${REFUSED[key]}`);
    else if (!HARMLESS.has(key) && (value === true || typeof value === "object"))
      throw new ModelError(`${where}: ${shown} is not known to this program, and could change the result`);
  }
}

function checkInit(value: unknown, shown: string): void {
  const text = String(value);
  if (INITS.test(text)) return;
  throw new ModelError(
    CHANGES_MODEL.test(text)
      ? `${shown} is not supported: the model's own weights were changed before training, so that these matrices do not belong to the model as it is; convert it with PEFT's save_pretrained(path_initial_model_for_weight_conversion=...)`
      : `${shown} is not known to this program, and could mean that the model's own weights were changed`,
  );
}

/** PEFT's ways of saying nothing. */
function isNo(value: unknown): boolean {
  return value === undefined || value === null || value === false || ["{}", "[]"].includes(JSON.stringify(value));
}

import { describe, expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { parseSettings } from "./lora-settings.ts";

/** As `LoraConfig().to_dict()` of PEFT 0.21 has every field, read as a LoRA file's. */
const DEFAULTS = {
  ...{ task_type: null, peft_type: "LORA", auto_mapping: null, peft_version: "0.21.2", base_model_name_or_path: null },
  ...{ revision: null, inference_mode: false, r: 8, target_modules: ["to_q"], exclude_modules: null, lora_alpha: 8 },
  ...{ lora_dropout: 0, fan_in_fan_out: false, bias: "none", use_rslora: false, modules_to_save: null },
  ...{ init_lora_weights: true, layers_to_transform: null, layers_pattern: null, rank_pattern: {}, alpha_pattern: {} },
  ...{ megatron_config: null, megatron_core: "megatron.core", trainable_token_indices: null, loftq_config: {} },
  ...{ eva_config: null, corda_config: null, lora_ga_config: null, use_dora: false, velora_config: null },
  ...{ alora_invocation_tokens: null, use_qalora: false, qalora_group_size: 16, monteclora_config: null },
  ...{ layer_replication: null, lora_bias: false, target_parameters: null, use_bdlora: null, arrow_config: null },
  ...{ kasa_config: null, ensure_weight_tying: false },
};
const parse = (changes: object) => parseSettings({ ...DEFAULTS, ...changes }, "", "x.json", { all: true });

describe("PEFT's settings, field by field:", () => {
  test.each([
    {},
    { fan_in_fan_out: true },
    { lora_dropout: 0.1, inference_mode: true, task_type: "FEATURE_EXTRACTION", revision: "main" },
    { layers_to_transform: [1, 2], layers_pattern: "layers", exclude_modules: ["x"], target_modules: ".*to_q" },
    ...[false, "gaussian", "orthogonal", "mica", "eva", "True"].map((init) => ({ init_lora_weights: init })),
    {
      eva_config: { rho: 2 },
      loftq_config: { loftq_bits: 4 },
      velora_config: { num_groups: 1 },
      ensure_weight_tying: true,
    },
    { a_number_of_tomorrow: 3, a_name_of_tomorrow: "x", use_of_tomorrow: false, config_of_tomorrow: null },
  ])("%o changes nothing", (changes) => {
    expect(parse(changes)).toMatchObject({ rank: 8, alpha: 8, isRankStabilized: false, usesDora: false });
  });

  test.each<[object, string]>([
    ...["olora", "pissa", "pissa_niter_4", "corda", "loftq", "lora_ga"].map((init): [object, string] => [
      { init_lora_weights: init },
      `init_lora_weights "${init}" is not supported: the model's own weights were changed before training`,
    ]),
    [{ init_lora_weights: "tomorrow" }, "is not known to this program, and could mean"],
    [{ bias: "all" }, 'bias "all" is not supported: biases of the model'],
    [{ bias: "lora_only" }, 'bias "lora_only" is not supported'],
    [{ modules_to_save: ["conv_in"] }, "whole layers trained beside"],
    [
      { layer_replication: [[0, 4]] },
      "layer_replication [[0,4]] is not supported: it says a model with layers repeated",
    ],
    [{ use_qalora: true }, "QA-LoRA"],
    [{ lora_bias: true }, "a LoRA with bias"],
    [{ trainable_token_indices: [1] }, "tokens trained"],
    [{ megatron_config: { a: 1 } }, "Megatron"],
    [{ kasa_config: { beta: 1 } }, "KaSA"],
    [{ monteclora_config: { num_samples: 8 } }, "MonteCLoRA"],
    [{ alora_invocation_tokens: [1] }, "an activated LoRA"],
    [{ use_bdlora: { nblocks: 2 } }, "block-diagonal"],
    [{ arrow_config: { top_k: 3 } }, "a router"],
    [{ target_parameters: ["w"] }, "parameters that are no layers"],
    [{ use_of_tomorrow: true }, "use_of_tomorrow true is not known to this program"],
    [{ config_of_tomorrow: { a: 1 } }, "is not known to this program, and could change the result"],
    ...["ADALORA", "IA3", "OFT", "BOFT", "VERA", "GLORA", "HRA", 7].map((type): [object, string] => [
      { peft_type: type },
      `peft_type ${JSON.stringify(type)} is not supported, only LORA, LOHA, LOKR`,
    ]),
  ])("%o is refused by name", (changes, message) => {
    expect(() => parse(changes)).toThrow(ModelError);
    expect(() => parse(changes)).toThrow(message);
  });

  test("LoHa and LoKr call alpha so", () => {
    const loha = {
      peft_type: "LOHA",
      r: 4,
      alpha: 6,
      init_weights: true,
      use_effective_conv2d: true,
      rank_dropout: 0.1,
    };
    expect(parseSettings(loha, "", "x.json", { all: true })).toMatchObject({ rank: 4, alpha: 6 });
    const lokr = { ...loha, peft_type: "LOKR", init_weights: "lycoris", decompose_both: true, decompose_factor: 8 };
    expect(parseSettings(lokr, "", "x.json", { all: true })).toMatchObject({ rank: 4, alpha: 6 });
    expect(() => parseSettings(lokr, "", "x.json")).toThrow('peft_type "LOKR" is not supported, only LORA; lora takes');
  });
});

import { ModelError } from "../../system/errors.ts";
import { writeSafetensors } from "../../tensor/safetensors.ts";
import { float32, type Float32Tensor } from "../../tensor/tensor.ts";
import type { Lora } from "../lora.ts";
import { checkPairs } from "../lora-settings.ts";
import type { StableDiffusion } from "../stable-diffusion.ts";
import { kohyaTextName, kohyaUnetName } from "./layers.ts";
import { SPEC_HASH } from "./model-spec.ts";

export interface KohyaOptions {
  readonly dtype?: "F32" | "F16";
  /** Texts for the file's header, which say what the LoRA is. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a LoRA as kohya's sd-scripts do, for ComfyUI, A1111, Forge and diffusers: for each layer `lora_down.weight`
 * [rank, in], `lora_up.weight` [out, rank] and `alpha`.
 *
 * Layers are named as sd-scripts names them: by diffusers' blocks for Stable Diffusion 1.x and 2.x (`lora_unet_down_blocks_0_...`), by
 * the original's for XL (`lora_unet_input_blocks_4_1_...`). All four programs read both, but for diffusers, which would put the
 * original's names into the wrong blocks of 1.x and 2.x. Layers of the text encoders are `lora_te_text_model_...`, of XL's two `lora_te1_...` and
 * `lora_te2_...`.
 *
 * @throws ModelError if a tensor lacks its partner or has another rank
 */
export async function writeKohyaLora(
  path: string,
  lora: Lora,
  model: Pick<StableDiffusion, "unet" | "family">,
  { dtype = "F32", metadata = {} }: KohyaOptions = {},
): Promise<void> {
  const { rank, alpha, texts = [] } = lora;
  const tensors = [
    ...piecesOf(path, lora, (layer) => kohyaUnetName(layer, model)),
    ...texts.flatMap((text) => piecesOf(path, text, (layer) => kohyaTextName(layer, text.part, model))),
  ];
  await writeSafetensors(
    path,
    tensors.map(({ layer, piece, tensor }) => ({ name: `${layer}.${piece}`, tensor })),
    {
      dtype,
      metadata: {
        ss_network_module: "networks.lora",
        ss_network_dim: String(rank),
        ss_network_alpha: String(alpha),
        ...metadata,
      },
      hashKey: SPEC_HASH,
    },
  );
}

/** The matrices of a model's layers and then their alphas. @param nameOf a layer's name in the file */
function piecesOf(
  path: string,
  { rank, alpha, parameters }: Pick<Lora, "rank" | "alpha" | "parameters">,
  nameOf: (layer: string) => string,
): { layer: string; piece: string; tensor: Float32Tensor }[] {
  checkPairs(parameters, rank, path);
  const tensors = Array.from(parameters, ([name, tensor]) => {
    const [, layer, side] = /^(.+)\.lora_([AB])\.weight$/.exec(name) ?? [];
    if (layer === undefined) throw new ModelError(`${path}: ${name} is no tensor of a LoRA`);
    return { layer: nameOf(layer), piece: side === "A" ? "lora_down.weight" : "lora_up.weight", tensor };
  });
  const layers = [...new Set(tensors.map(({ layer }) => layer))];
  return [...tensors, ...layers.map((layer) => ({ layer, piece: "alpha", tensor: float32([alpha], []) }))];
}

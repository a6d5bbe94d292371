import { ModelError, type Message } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import type { SafetensorsFile } from "../../tensor/safetensors.ts";
import type { Prediction } from "../prediction.ts";

/** The original Stable Diffusion's kinds of checkpoint, by the folder in this package with their configuration. */
export type OriginalFamily = "sd1" | "sd2-base" | "sd2-v" | "sdxl";

/** Prefixes of the parts' names in a file in the original layout. */
export const UNET_PREFIX = "model.diffusion_model.";
export const VAE_PREFIX = "first_stage_model.";

/** How a text encoder lies in the file. */
export interface TextPlace {
  readonly prefix: string;
  /** OpenCLIP's names and matrices, or transformers' own. */
  readonly kind: "openclip" | "transformers";
}

const TEXT_PLACES = {
  sd1: [{ prefix: "cond_stage_model.transformer.", kind: "transformers" }],
  sd2: [{ prefix: "cond_stage_model.model.", kind: "openclip" }],
  sdxl: [
    { prefix: "conditioner.embedders.0.transformer.", kind: "transformers" },
    { prefix: "conditioner.embedders.1.model.", kind: "openclip" },
  ],
} as const satisfies Record<string, readonly TextPlace[]>;

/** What a file's names and shapes say. */
export interface Layout {
  readonly kind: keyof typeof TEXT_PLACES;
  readonly texts: readonly TextPlace[];
}

/**
 * Which of the layouts a file has.
 * @throws ModelError for every other file, saying what it seems to be
 */
export function recognize(file: SafetensorsFile): Layout {
  const names = [...file.tensors.keys()];
  const has = (prefix: string) => names.some((name) => name.startsWith(prefix));
  const refuse = (what: Message) => new ModelError(say`${file.path}: ${what}`);
  const foreign = FOREIGN.find(([pattern]) => names.some((name) => pattern.test(name)));
  if (foreign !== undefined) throw refuse(foreign[1]);
  if (!has(UNET_PREFIX))
    throw refuse(say`expected a Stable Diffusion checkpoint with ${UNET_PREFIX}* in it, found ${describe(names)}`);
  if (!has(VAE_PREFIX)) throw refuse(`there is no VAE in it (${VAE_PREFIX}*): expected a whole checkpoint`);
  const kinds = Object.keys(TEXT_PLACES) as Layout["kind"][];
  const kind = kinds.find((each) => TEXT_PLACES[each].every(({ prefix }) => has(prefix)));
  if (kind === undefined)
    throw refuse(
      has("conditioner.embedders.0.model.")
        ? "an SDXL refiner, which does not draw by itself, is not supported"
        : `there is no text encoder in it (${kinds.map((each) => `${TEXT_PLACES[each][0].prefix}*`).join(", ")}): expected a whole checkpoint`,
    );
  const channels = file.tensors.get(`${UNET_PREFIX}input_blocks.0.0.weight`)?.shape[1];
  if (channels !== undefined && channels > 4)
    throw refuse(
      `its U-Net takes ${channels} channels, as models for inpainting or upscaling do: not supported, only 4`,
    );
  return { kind, texts: TEXT_PLACES[kind] };
}

/** Names that only other models have. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/\.joint_blocks\.|^joint_blocks\./, "Stable Diffusion 3 is not supported, only 1.x, 2.x and XL"],
  [/\bdouble_blocks\.\d/, "Flux is not supported, only Stable Diffusion 1.x, 2.x and XL"],
  [/^edm_(mean|std)$/, "Playground's latents (edm_mean) are not supported"],
  [/^edm_vpred\./, "CosXL's continuous noise (edm_vpred) is not supported"],
  [/^control_model\.|^controlnet_(cond_embedding|down_blocks|mid_block)\./, "a ControlNet is not supported"],
  [
    /^(model\.diffusion_model\.)?(single_transformer_blocks|transformer_blocks|blocks|layers)\.\d/,
    "a diffusion transformer (such as Flux, Stable Diffusion 3, PixArt, Wan) is not supported, only Stable Diffusion 1.x, 2.x and XL",
  ],
];

function describe(names: readonly string[]): Message {
  if (names.some((name) => /lora_(up|down|A|B)\b|\.lora\./.test(name)))
    return say`a LoRA: give it as ${setting("lora")}`;
  if (names.some((name) => /^(first_stage_model\.|vae\.)?decoder\.conv_in\.weight$/.test(name)))
    return say`a VAE: give it as ${setting("vae")}`;
  if (names.some((name) => /^(emb_params|string_to_param|clip_[lg])$/.test(name)))
    return say`a textual inversion: give it as ${setting("embedding")}`;
  if (names.some((name) => name.startsWith("text_model.")))
    return "a text encoder: give the folder that holds the model's model_index.json";
  if (names.some((name) => name.startsWith("down_blocks.")))
    return "one part of a diffusers model: give the folder that holds its model_index.json";
  return names.length === 0 ? "no tensors" : names.slice(0, 3).join(", ");
}

/** What a file predicts, and how that is known. */
export interface FilePrediction {
  readonly type: Prediction;
  readonly guessed: boolean;
  /** What in the file says something else. */
  readonly contradicted?: string | undefined;
}

/**
 * What a checkpoint's output means, which names and shapes do not say. Some files hold empty tensors that do, `v_pred` and, for a schedule of
 * zero terminal SNR, `ztsnr`, as ComfyUI and A1111 read them; trainers write it into the header (`modelspec.prediction_type`, kohya's
 * `ss_v_parameterization` and `ss_zero_terminal_snr`). Merges keep headers that are true no more, so that a tensor wins. Else all models of
 * the 1.x and XL kinds are taken for epsilon, and 2.x is told by a norm of the last transformer, whose bias deviates by more than 0.09 in all
 * v-models of Stability: ComfyUI's rule (supported_models.py, SD20).
 */
export async function predictionOf(file: SafetensorsFile, { kind }: Layout): Promise<FilePrediction> {
  const { metadata, tensors } = file;
  const header = HEADERS.find(([key, values]) => values.has(metadata.get(key)?.toLowerCase() ?? ""));
  const said = header?.[1].get(metadata.get(header[0])?.toLowerCase() ?? "");
  if (tensors.has("v_pred")) {
    const type = tensors.has("ztsnr") ? "v-zsnr" : "v";
    return { type, guessed: false, contradicted: said === "epsilon" ? header?.[0] : undefined };
  }
  if (said === "epsilon") return { type: "epsilon", guessed: false };
  if (said === "v") {
    const isZeroSnr = tensors.has("ztsnr") || metadata.get("ss_zero_terminal_snr")?.toLowerCase() === "true";
    return { type: isZeroSnr ? "v-zsnr" : "v", guessed: false };
  }
  if (kind !== "sd2") return { type: "epsilon", guessed: false };
  const name = `${UNET_PREFIX}output_blocks.11.1.transformer_blocks.0.norm1.bias`;
  const isV = tensors.has(name) && deviation((await file.read(name)).data) > 0.09;
  return { type: isV ? "v" : "epsilon", guessed: true };
}

/** Keys of headers, and what their values mean, in lower case. */
const HEADERS: readonly (readonly [key: string, values: ReadonlyMap<string, "epsilon" | "v">])[] = [
  [
    "modelspec.prediction_type",
    new Map([
      ["epsilon", "epsilon"],
      ["v", "v"],
      ["v_prediction", "v"],
      ["v-prediction", "v"],
    ]),
  ],
  [
    "ss_v_parameterization",
    new Map([
      ["true", "v"],
      ["false", "epsilon"],
    ]),
  ],
];

function deviation(data: ArrayLike<number>): number {
  const numbers = Array.from(data);
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((total, x) => total + (x - mean) ** 2, 0) / numbers.length);
}

/** The configuration that stands for a file, but for what {@link schedulerSettings} says of its prediction. */
export function familyOf({ kind }: Layout, prediction: Prediction): OriginalFamily {
  if (kind === "sd2") return prediction === "epsilon" ? "sd2-base" : "sd2-v";
  return kind;
}

import { ModelError, type Message } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import type { SafetensorsFile } from "../../tensor/safetensors.ts";

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
  [/^control_model\./, "a ControlNet is not supported"],
];

function describe(names: readonly string[]): Message {
  if (names.some((name) => /lora_(up|down|A|B)\b|\.lora\./.test(name)))
    return say`a LoRA: give it as ${setting("lora")}`;
  if (names.some((name) => name.startsWith("down_blocks.")))
    return "one part of a diffusers model: give the folder that holds its model_index.json";
  return names.length === 0 ? "no tensors" : names.slice(0, 3).join(", ");
}

/** Whether a model says epsilon or v, and how that is known. */
export interface Prediction {
  readonly type: "epsilon" | "v_prediction";
  readonly guessed: boolean;
}

/**
 * What a checkpoint's output means, which names and shapes do not say. Trainers write it into the header (`modelspec.prediction_type`);
 * some files hold an empty tensor `v_pred`. Else all models of the 1.x and XL kinds are taken for epsilon, and 2.x is told by a norm
 * of the last transformer, whose bias deviates by more than 0.09 in all v-models of Stability: ComfyUI's rule (supported_models.py, SD20).
 */
export async function predictionOf(file: SafetensorsFile, { kind }: Layout): Promise<Prediction> {
  const said = file.metadata.get("modelspec.prediction_type");
  if (said === "epsilon") return { type: "epsilon", guessed: false };
  if (said === "v" || file.tensors.has("v_pred")) return { type: "v_prediction", guessed: false };
  if (kind !== "sd2") return { type: "epsilon", guessed: false };
  const name = `${UNET_PREFIX}output_blocks.11.1.transformer_blocks.0.norm1.bias`;
  const isV = file.tensors.has(name) && deviation((await file.read(name)).data) > 0.09;
  return { type: isV ? "v_prediction" : "epsilon", guessed: true };
}

function deviation(data: ArrayLike<number>): number {
  const numbers = Array.from(data);
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((total, x) => total + (x - mean) ** 2, 0) / numbers.length);
}

/**
 * The configuration that stands for a file.
 * @throws ModelError where the package has none for it
 */
export function familyOf(file: SafetensorsFile, { kind }: Layout, { type }: Prediction): OriginalFamily {
  if (kind === "sd2") return type === "epsilon" ? "sd2-base" : "sd2-v";
  if (type === "v_prediction")
    throw new ModelError(
      `${file.path}: a ${kind === "sdxl" ? "Stable Diffusion XL" : "Stable Diffusion 1.x"} that predicts v has no configuration of its own here; put a diffusers folder with its configuration beside it (see docs/formats.md)`,
    );
  return kind;
}

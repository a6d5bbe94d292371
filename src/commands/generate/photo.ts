import { join } from "node:path";
import { IMAGE_ADAPTER_FILE, readImageAdapter } from "../../checkpoints/image-adapter.ts";
import { createPhotoEncoder, openPhotoEncoder } from "../../checkpoints/photo-encoder.ts";
import type { StableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import type { TextEmbedding, TextEncoder } from "../../diffusion/text-encoding.ts";
import { Graph } from "../../graph/graph.ts";
import { readImage } from "../../images/read.ts";
import { imageAdapter } from "../../models/common/image-adapter.ts";
import { rootScope } from "../../nn/scope.ts";
import { compile } from "../../runtime/compile.ts";
import { withResources } from "../../runtime/resources.ts";
import { inFloat32, type SessionOptions } from "../../runtime/session-options.ts";
import { UsageError } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { float32, type Float32Tensor } from "../../tensor/tensor.ts";
import { CHECKPOINTS } from "../../runs/folder.ts";
import type { Interaction } from "../interaction.ts";
import { findModels, restoreModel } from "../models/hub-models.ts";
import { defaultImageEncoder } from "../models/names.ts";
import { sayIfChanged, type Source } from "../source.ts";
import type { Message } from "../../system/named-setting.ts";

/** Drawing with what DisenBooth's image adapter makes of a photo: its surroundings and pose, alone or beside a text. */

/** What is asked for. */
export interface WantedPhoto {
  readonly photo?: string | undefined;
  readonly photoWeight?: number | undefined;
  readonly textWeight?: number | undefined;
  readonly imageEncoder?: string | undefined;
}

export interface DrawnPhoto {
  readonly path: string;
  /** The folder of the CLIP that reads it. */
  readonly encoder: string;
  /** How much what is made of it counts, and the text: 1 is as trained. */
  readonly weight: number;
  readonly textWeight: number;
}

/** Whether what prompts say counts in pictures: with a photo it may count nothing. */
export function countsTexts(photo: DrawnPhoto | undefined): boolean {
  return photo?.textWeight !== 0;
}

/**
 * What can be said of a photo before a model is looked for, which may mean to download it.
 * @throws UsageError where the photo is missing or cannot be read, or what belongs to a photo is given without one
 */
export async function checkPhoto({ photo: path, imageEncoder, photoWeight, textWeight }: WantedPhoto): Promise<void> {
  if (path === undefined) {
    const [lonely] = Object.entries({ photoWeight, textWeight, imageEncoder }).flatMap(([key, value]) =>
      value === undefined ? [] : [key],
    );
    if (lonely !== undefined) throw new UsageError(say`${setting(lonely)} needs ${setting("photo")}`);
    return;
  }
  if (!(await exists(path))) throw new UsageError(say`${setting("photo", path)}: no such file`);
  await readImage(path);
}

/**
 * What of a photo to draw with, if anything.
 * @throws UsageError where what reads the photo or the image adapter is missing
 */
export async function findPhoto(
  { photo: path, imageEncoder, photoWeight, textWeight }: WantedPhoto,
  { adapter, model, run }: Pick<Source, "adapter" | "model" | "run">,
  interaction: Interaction,
): Promise<DrawnPhoto | undefined> {
  if (path === undefined) return undefined;
  if (adapter === undefined && run !== undefined)
    throw new UsageError(
      say`${setting("photo", path)}: the best of ${run.folder} is its starting model, which has no image adapter; give ${setting("adapter")} one of the folders in ${join(run.folder, CHECKPOINTS)}`,
    );
  if (adapter === undefined || !(await exists(join(adapter, IMAGE_ADAPTER_FILE))))
    throw new UsageError(
      say`${setting("photo", path)}: ${adapter ?? "the model as it is"} has no ${IMAGE_ADAPTER_FILE}, which ${setting("method", "disenbooth")} trains; give ${setting("adapter")} a run of it`,
    );
  const own = run?.settings.imageEncoder;
  const encoder =
    imageEncoder === undefined && own !== undefined
      ? await restoreModel("imageEncoder", own, interaction)
      : await named(imageEncoder ?? defaultImageEncoder(model), interaction);
  if (run !== undefined) await sayIfChanged(run, "imageEncoder", encoder, interaction);
  return { path, encoder, weight: photoWeight ?? 1, textWeight: textWeight ?? 1 };
}

async function named(name: string, interaction: Interaction): Promise<string> {
  const { imageEncoder = name } = await findModels({ imageEncoder: { setting: "imageEncoder", name } }, interaction);
  return imageEncoder;
}

/** What an image adapter makes of a photo, [1, D]. @throws UsageError, ModelError */
export async function readPhoto(
  { path, encoder }: DrawnPhoto,
  adapter: string,
  model: StableDiffusion,
  session: SessionOptions,
  warn: (line: Message) => void,
): Promise<Float32Tensor> {
  const { config } = model.unet;
  const part = await openPhotoEncoder(encoder, model, { warn });
  const parameters = await readImageAdapter(adapter, config.crossAttentionDim);
  const image = await readImage(path);
  return withResources(async (own) => {
    const features = await own(await createPhotoEncoder(part, config, session)).features(image);
    const graph = new Graph();
    const made = imageAdapter(rootScope(graph), graph.input("features", features.shape));
    const compiled = own(await compile({ made }, { ...inFloat32(session), parameters }));
    const { made: out } = await compiled.run({ features });
    return float32(Float32Array.from(out.data), out.shape);
  });
}

/**
 * A text encoder whose prompts have what was made of a photo, f, added to each of their states, as the authors' inference.ipynb does:
 *
 *     prompt   = textWeight · c + weight · f
 *     negative = textWeight · c⁻
 */
export function withPhoto(encoder: TextEncoder, f: Float32Tensor, { weight, textWeight }: DrawnPhoto): TextEncoder {
  const mixed =
    (amount: number) =>
    (text: TextEmbedding): TextEmbedding => {
      const { data, shape } = text.states;
      const states = data.map((x, i) => textWeight * x + amount * f.data[i % f.data.length]);
      return { ...text, states: float32(states, shape) };
    };
  return {
    ...encoder,
    encode: async (...asked) => (await encoder.encode(...asked)).map(mixed(weight)),
    encodeNegative: async (...asked) => mixed(0)(await encoder.encodeNegative(...asked)),
  };
}

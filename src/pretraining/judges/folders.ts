import { join } from "node:path";
import { makeFolder, writeJson } from "../../system/files.ts";
import { float32, int32, zeros, type Float32Tensor, type Tensor } from "../../tensor/tensor.ts";
import { writeHalves } from "../folder.ts";
import type { Weights } from "../loop.ts";
import { specialIds, writeClipTokenizer, type BytePairs } from "../tokenizer.ts";
import { alignJson } from "./align.ts";
import { clipJson } from "./clip.ts";
import { ALIGN_CONFIG, CLIP_CONFIG, DINO_CONFIG } from "./recipes.ts";
import { writeBertTokenizer } from "./vocabulary.ts";

const SIDE = 64;
const half = [0.5, 0.5, 0.5];
const square = { height: SIDE, width: SIDE };

/** Writes an AlignModel's folder as transformers does, its weights in F16. */
export async function writeAlignFolder(folder: string, trained: Weights, vocabulary: readonly string[]): Promise<void> {
  const { hidden_size, max_position_embeddings } = ALIGN_CONFIG.text_config;
  const temperature = float32([Math.exp(-scalarOf(trained, "logit_scale"))], []);
  const counters = [...trained.keys()].flatMap((name) =>
    name.endsWith(".running_mean")
      ? [[name.replace(/running_mean$/, "num_batches_tracked"), int32([0], [])] as const]
      : [],
  );
  const weights = new Map<string, Tensor>([
    ...trained,
    ["temperature", temperature],
    ...pooler("text_model.pooler", hidden_size),
    ...counters,
  ]);
  weights.delete("logit_scale");
  await writeModel(folder, alignJson(vocabulary.length), weights, {
    image_processor_type: "EfficientNetImageProcessor",
    do_resize: true,
    size: square,
    resample: 2,
    do_center_crop: false,
    do_rescale: true,
    rescale_factor: 1 / 127.5,
    rescale_offset: true,
    do_normalize: false,
    include_top: false,
  });
  await writeBertTokenizer(folder, vocabulary, max_position_embeddings);
}

/** Writes a CLIPModel's folder. */
export async function writeClipFolder(folder: string, weights: Weights, bytePairs: BytePairs): Promise<void> {
  await writeModel(folder, clipJson(specialIds(bytePairs)), weights, {
    image_processor_type: "CLIPImageProcessor",
    do_resize: true,
    size: { shortest_edge: SIDE },
    resample: 3,
    do_center_crop: true,
    crop_size: square,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: half,
    image_std: half,
    do_convert_rgb: true,
  });
  await writeClipTokenizer(folder, bytePairs, CLIP_CONFIG.text_config.max_position_embeddings);
}

/** Writes a ViTModel's folder. */
export async function writeDinoFolder(folder: string, trained: Weights): Promise<void> {
  const weights = new Map([...trained, ...pooler("pooler", DINO_CONFIG.hidden_size)]);
  await writeModel(folder, DINO_CONFIG, weights, {
    image_processor_type: "ViTImageProcessor",
    do_resize: true,
    size: square,
    resample: 2,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: half,
    image_std: half,
  });
}

async function writeModel(
  folder: string,
  config: object,
  weights: ReadonlyMap<string, Tensor>,
  processor: object,
): Promise<void> {
  await makeFolder(folder);
  await writeJson(join(folder, "config.json"), config);
  await writeHalves(join(folder, "model.safetensors"), weights);
  await writeJson(join(folder, "preprocessor_config.json"), processor);
}

/** A layer that transformers' classes have and features do not need: with it, nothing is reported missing. */
function pooler(name: string, features: number): [string, Float32Tensor][] {
  return [
    [`${name}.dense.weight`, zeros([features, features])],
    [`${name}.dense.bias`, zeros([features])],
  ];
}

function scalarOf(weights: Weights, name: string): number {
  const [value] = weights.get(name)?.data ?? [];
  return value ?? NaN;
}

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { singleFileHint } from "./pickle.ts";
import { readConfig } from "./weights.ts";

/** The file beside model_index.json, of ours, with the settings and prompts that suit the model. */
export const DEFAULTS_FILE = "rpo.json";

/** What a diffusers folder's `model_index.json` says. */
export interface ModelIndex {
  readonly family: "sd" | "sdxl";
  readonly textEncoders: readonly {
    /** The encoder's folder. */
    readonly name: string;
    /** The tokenizer's folder. */
    readonly tokenizer: string;
    readonly projected: boolean;
  }[];
  /** Empty where the file does not name one. */
  readonly schedulerClass: string | undefined;
  readonly zerosWithoutNegative: boolean;
}

type Classes = Readonly<Record<string, string>>;

const CLIP_TEXT = "CLIPTextModel";
const parts: Classes = {
  unet: "UNet2DConditionModel",
  vae: "AutoencoderKL",
  text_encoder: CLIP_TEXT,
  tokenizer: "CLIPTokenizer",
};

/** The pipelines that are understood, with the classes of their parts. Other parts, such as the safety checker, are passed over. */
const PIPELINES: Readonly<Record<string, { readonly family: ModelIndex["family"]; readonly parts: Classes }>> = {
  StableDiffusionPipeline: { family: "sd", parts },
  StableDiffusionXLPipeline: {
    family: "sdxl",
    parts: { ...parts, text_encoder_2: `${CLIP_TEXT}WithProjection`, tokenizer_2: "CLIPTokenizer" },
  },
};

const component = z.tuple([z.string().nullable(), z.string().nullable()]);

/** @throws ModelError on another pipeline or part than those supported */
export async function readModelIndex(folder: string): Promise<ModelIndex> {
  const where = join(folder, "model_index.json");
  const present = await readdir(folder).catch((): string[] => []);
  if (!present.includes("model_index.json")) {
    const single = present.find((name) => /\.(ckpt|safetensors)$/.test(name));
    const found =
      single === undefined
        ? ""
        : single.endsWith(".ckpt")
          ? `; found ${singleFileHint(join(folder, single))}`
          : `; found ${single}: give the file itself, if it is a whole checkpoint`;
    throw new ModelError(`${where}: no such file, expected a diffusers folder${found}`);
  }
  const index = await readConfig(folder, "model_index.json");
  const className = String(index["_class_name"]);
  const pipeline = PIPELINES[className];
  if (!Object.hasOwn(PIPELINES, className))
    throw new ModelError(
      `${where}: _class_name ${className} is not supported, expected ${Object.keys(PIPELINES).join(" or ")}`,
    );
  for (const [name, expected] of Object.entries(pipeline.parts)) {
    const found = component.safeParse(index[name]).data?.[1] ?? "nothing";
    if (found.replace(/Fast$/, "") !== expected)
      throw new ModelError(`${where}: ${name} is ${found}, expected ${expected}`);
  }
  const second = { name: "text_encoder_2", tokenizer: "tokenizer_2", projected: true };
  return {
    family: pipeline.family,
    textEncoders: [
      { name: "text_encoder", tokenizer: "tokenizer", projected: false },
      ...(pipeline.family === "sdxl" ? [second] : []),
    ],
    schedulerClass: component.safeParse(index["scheduler"]).data?.[1] ?? undefined,
    // StableDiffusionXLPipeline's default is true
    zerosWithoutNegative: pipeline.family === "sdxl" && index["force_zeros_for_empty_prompt"] !== false,
  };
}

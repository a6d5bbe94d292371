import { join } from "node:path";
import { loadAdapted } from "../checkpoints/adapted-unet.ts";
import { mergeUpdates } from "../checkpoints/lora-files/merge.ts";
import type { LoraPart } from "../checkpoints/lora-files/keys.ts";
import { readLoraFile, type LoraUpdates } from "../checkpoints/lora-files/read.ts";
import { openStableDiffusion, type StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { openTextEncoder, type AdaptText } from "../checkpoints/text-encoder.ts";
import { pixelsPerLatent } from "../models/vae/config.ts";
import type { SamplerName } from "../diffusion/create.ts";
import type { TextEmbedding } from "../diffusion/text-encoding.ts";
import { checkDrawable, createGenerator, type PictureSize } from "../diffusion/text-to-image.ts";
import { createVaeCodec } from "../diffusion/vae-codec.ts";
import { toImage } from "../images/pixels.ts";
import { writePng } from "../images/write.ts";
import { exists } from "../rpo/run-folder.ts";
import type { Device } from "../runtime/device.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import { withResources } from "../runtime/resources.ts";
import { UsageError } from "../tensor/errors.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { makeFolder, readJson, writeJson } from "../tensor/files.ts";
import { findSource } from "./source.ts";

/** A LoRA file to draw with. */
export interface WeightedLora {
  readonly path: string;
  /** How much of it: 1 is as it was trained. */
  readonly weight: number;
}

export interface GenerateSettings {
  /** A diffusers folder or a file in the original layout; absent: the model of the run that `adapter` is. */
  readonly model: string | undefined;
  /** Of its weights, such as "fp16"; absent: the plain files, or what the run was trained on. */
  readonly variant?: string | undefined;
  /** A LoRA's file or folder, a fine-tuned U-Net's folder, or a run's folder, whose best.json names the checkpoint. */
  readonly adapter: string | undefined;
  /** Added to the model, in this order. Default: none. */
  readonly loras?: readonly WeightedLora[];
  readonly prompts: readonly string[];
  readonly negative: string | undefined;
  /** Pictures for each prompt, from seeds `seed`, `seed` + 1, ... */
  readonly count: number;
  readonly seed: number;
  readonly sampler: SamplerName;
  readonly steps: number;
  readonly guidance: number;
  /** Default: the model's own. */
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly output: string;
  /** Pictures that are there already are kept, and the missing ones drawn. Default: they are in the way. */
  readonly keep?: boolean;
  readonly threads: number;
  /** Where the graphs run. Default: the CPU. */
  readonly device?: Device;
}

export interface GeneratedPicture {
  readonly file: string;
  readonly prompt: string;
  readonly seed: number;
}

export type GenerateEvent =
  | { readonly type: "progress"; readonly phase: "loading" | "drawing"; readonly done: number; readonly total: number }
  | { readonly type: "warning"; readonly text: string }
  | ({ readonly type: "picture" } & GeneratedPicture);

export interface GenerateResult {
  readonly pictures: readonly GeneratedPicture[];
  readonly interrupted: boolean;
}

export interface GenerateControl {
  emit(event: GenerateEvent): void;
  shouldStop(): boolean;
}

/** Draws pictures of prompts and writes them to a folder, with prompts.json beside them. @throws UsageError, ModelError */
export async function generatePictures(settings: GenerateSettings, control: GenerateControl): Promise<GenerateResult> {
  const loading = (done: number) => control.emit({ type: "progress", phase: "loading", done, total: 3 });
  loading(0);
  const planned = plan(settings);
  const there = new Set<GeneratedPicture>();
  for (const picture of planned) {
    if (!(await exists(join(settings.output, picture.file)))) continue;
    if (settings.keep !== true)
      throw new UsageError(`${join(settings.output, picture.file)} exists; choose another --output or --seed`);
    there.add(picture);
  }
  if (there.size === planned.length) {
    await writePrompts(settings.output, planned);
    return { pictures: planned, interrupted: false };
  }
  const source = await findSource(settings);
  const warn = (text: string) => control.emit({ type: "warning", text });
  const model = await openStableDiffusion(source.model, { variant: source.variant, warn });
  const size = { height: settings.height ?? model.resolution, width: settings.width ?? model.resolution };
  checkDrawable(
    { ...size, sampler: settings.sampler, steps: settings.steps },
    { vae: model.vae.config, scheduler: model.scheduler },
  );
  const session = { threads: settings.threads, device: settings.device };
  const loras: (WeightedLora & { readonly updates: LoraUpdates })[] = [];
  for (const lora of settings.loras ?? []) loras.push({ ...lora, updates: await readLoraFile(lora.path, model) });
  const withLoras = async (weights: ReadonlyMap<string, Float32Tensor>, part: LoraPart) => {
    let merged = weights;
    for (const { updates, weight } of loras)
      merged = await mergeUpdates(merged, updates.get(part) ?? [], weight, session);
    return merged;
  };
  const adapted = await loadAdapted(model, source.adapter);
  const loaded = { ...adapted, weights: await withLoras(adapted.weights, "unet") };
  loading(1);
  const embeddings = await embed(model, settings, session, withLoras);
  loading(2);
  return withResources(async (own) => {
    const vae = own(createVaeCodec({ config: model.vae.config, weights: await model.vae.load(), session }));
    const unet = { config: model.unet.config, ...loaded };
    const generator = own(createGenerator({ unet, vae, scheduler: model.scheduler, session }));
    loading(3);
    const written: GeneratedPicture[] = [];
    const batch = picturesAtATime(size, pixelsPerLatent(model.vae.config));
    for (let first = 0; first < planned.length; first += batch) {
      if (control.shouldStop()) return { pictures: written, interrupted: true };
      const together = planned.slice(first, first + batch);
      // all of them again if one is missing: with several threads a picture's last bits depend on what is drawn with it
      if (together.every((picture) => there.has(picture))) {
        written.push(...together);
        continue;
      }
      const onStep = (done: number, total: number) => {
        const steps = total / together.length;
        const progress = { done: first * steps + done, total: planned.length * steps };
        control.emit({ type: "progress", phase: "drawing", ...progress });
      };
      const pictures = await generator.generate({
        ...size,
        prompts: together.map(({ prompt }) => embeddings.of(prompt)),
        negative: embeddings.negative,
        starts: together.map(({ seed }) => seed),
        sampler: settings.sampler,
        steps: settings.steps,
        guidanceScale: settings.guidance,
        batch,
        onStep,
      });
      await makeFolder(settings.output);
      for (const [i, picture] of together.entries()) {
        await writePng(join(settings.output, picture.file), toImage(pictures[i]));
        written.push(picture);
        control.emit({ type: "picture", ...picture });
      }
      await writePrompts(settings.output, written);
    }
    return { pictures: written, interrupted: false };
  });
}

/** Small pictures are drawn several at a time, which is faster by half; large ones fill the processor by themselves. */
function picturesAtATime({ height, width }: PictureSize, factor: number): number {
  const positions = (height / factor) * (width / factor);
  return Math.min(4, Math.max(1, Math.floor(64 ** 2 / positions)));
}

/** Embeds the prompts, and lets the text encoder go. */
async function embed(
  model: StableDiffusion,
  { prompts, negative }: GenerateSettings,
  session: SessionOptions,
  adapt: AdaptText,
): Promise<{ of(prompt: string): TextEmbedding; negative: TextEmbedding }> {
  return withResources(async (own) => {
    const encoder = own(await openTextEncoder(model, session, adapt));
    const encoded = await encoder.encode(prompts);
    return { of: (prompt) => encoded[prompts.indexOf(prompt)], negative: await encoder.encodeNegative(negative) };
  });
}

/** File names begin with the prompt's number where there are several. */
function plan({ prompts, count, seed }: GenerateSettings): GeneratedPicture[] {
  return prompts.flatMap((prompt, p) =>
    Array.from({ length: count }, (_, i) => ({
      file: prompts.length === 1 ? `${seed + i}.png` : `${String(p).padStart(2, "0")}-${seed + i}.png`,
      prompt,
      seed: seed + i,
    })),
  );
}

/** prompts.json: {"<file>": {"prompt", "seed"}}; pictures of earlier calls stay in it. */
async function writePrompts(output: string, pictures: readonly GeneratedPicture[]): Promise<void> {
  const path = join(output, "prompts.json");
  const known = (await exists(path)) ? ((await readJson(path, UsageError)) as Record<string, unknown>) : {};
  for (const { file, prompt, seed } of pictures) known[file] = { prompt, seed };
  await writeJson(path, known);
}

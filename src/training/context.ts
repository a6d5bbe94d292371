import { join } from "node:path";
import { createFeatureEncoder } from "../checkpoints/feature-encoder.ts";
import { writeLora } from "../checkpoints/lora.ts";
import { whereOf } from "../checkpoints/part.ts";
import { unetGraph, type StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { openTextEncoder } from "../checkpoints/text-encoder.ts";
import { noiseSchedule, type NoiseSchedule } from "../diffusion/schedule.ts";
import type { TextEmbedding } from "../diffusion/text-encoding.ts";
import { createGenerator } from "../diffusion/text-to-image.ts";
import { createVaeCodec } from "../diffusion/vae-codec.ts";
import { repoOfSnapshot } from "../hub/cache.ts";
import { pixelsPerLatent } from "../models/vae/config.ts";
import { ATTENTION_TARGETS, FEED_FORWARD_TARGETS, initialLora, type LoraConfig } from "../nn/lora.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import { assemble, withResources, type Resource } from "../runtime/resources.ts";
import { UsageError } from "../system/errors.ts";
import { copyText } from "../system/files.ts";
import { Random } from "../tensor/random.ts";
import { writeSafetensors } from "../tensor/safetensors.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import type { RunControl } from "../runs/events.ts";
import { openModels, provenanceOf, resolveSettings } from "./models.ts";
import { createPainter, type Embeddings, type Painter } from "./image-sampler.ts";
import { encodePicture, readPhotos, trainingSquare, type EncodedPicture, type Encoder } from "./photos.ts";
import { defaultPrompts, fillPrompt, readPrompts, type Prompt } from "./prompts.ts";
import type { CheckpointWriter } from "../runs/checkpoints.ts";
import { checkUnchanged, versionChanges, type Provenance } from "../runs/config.ts";
import { createScorer, type Scorer } from "../reward/scorer.ts";
import type { TrainRequest, TrainSettings } from "../settings/train-settings.ts";
import { createTrainer, type Trainer } from "./trainer.ts";

/** All that a run works with, computed once: encoded photos, embedded prompts, compiled graphs, the loaded reward. */
export interface Studio extends Painter, Resource {
  readonly settings: TrainSettings;
  readonly provenance: Provenance;
  readonly photos: readonly EncodedPicture[];
  readonly prompts: {
    readonly plain: Prompt;
    readonly training: readonly Prompt[];
    readonly validation: readonly Prompt[];
  };
  readonly schedule: NoiseSchedule;
  /** Factor from the VAE's latents to the U-Net's. */
  readonly scaling: number;
  readonly scorer: Scorer;
  readonly trainer: Trainer;
  readonly encode: Encoder;
  readonly writeCheckpoint: CheckpointWriter;
  /** The embedding of a prompt's text. */
  readonly embedding: (text: string) => TextEmbedding;
}

/**
 * Loads the models, encodes photos and prompts, compiles the graphs.
 * @param options.resume whether a run goes on, whose models, photos and prompts must be what it began with
 * @throws UsageError, ModelError before any long work
 */
export async function openStudio(
  request: TrainRequest,
  control: RunControl,
  { resume }: { readonly resume: boolean },
): Promise<Studio> {
  const loading = (done: number) => control.emit({ type: "progress", phase: "loading", done, total: 6 });
  loading(0);
  const pictures = await readPhotos(request);
  const prompts = await promptsOf(request);
  const models = await openModels(request, control);
  const { diffusion } = models;
  const settings = resolveSettings(request, diffusion);
  const provenance = await provenanceOf(models, settings, pictures);
  if (resume) {
    await checkUnchanged(settings.output, settings, provenance);
    for (const text of await versionChanges(settings.output, provenance)) control.emit({ type: "warning", text });
  }
  const { threads, device, memory } = settings;
  const session: SessionOptions = { threads, device, workspace: memory === "low" ? "returned" : "kept" };
  loading(1);

  const texts = [prompts.plain, ...prompts.training, ...prompts.validation].map(({ text }) => text);
  const embeddings = await embedAll(diffusion, [...texts, ""], session);
  loading(2);
  return assemble(async (own, release) => {
    const { vae: vaePart, unet: unetPart } = diffusion;
    const vae = own(
      createVaeCodec({ config: vaePart.config, weights: await vaePart.load(), session, name: whereOf(vaePart) }),
    );
    const encode: Encoder = (pixels) => vae.encode(pixels);
    const photos: EncodedPicture[] = [];
    for (const photo of pictures) photos.push(await encodePicture(trainingSquare(photo, settings), encode));
    loading(3);
    const encoder = own(await createFeatureEncoder(models.reward, session));
    const scorer = await createScorer(
      encoder,
      pictures.map(({ image }) => image),
    );
    loading(4);
    const weights = await diffusion.unet.load();
    loading(5);
    const { config } = diffusion.unet;
    const lora = settings.adapter === "lora" ? loraOf(settings, config) : undefined;
    const side = settings.resolution / pixelsPerLatent(diffusion.vae.config);
    const trainer = own(
      await createTrainer({
        ...settings,
        config,
        weights,
        ...(lora && { lora }),
        batch: 1,
        latentSize: [side, side],
        textLength: embeddings.length,
        session,
      }),
    );
    const unet = { config, weights: trainer.policy, lora: lora?.config, name: whereOf(unetPart) };
    const generator = own(createGenerator({ unet, vae, scheduler: diffusion.scheduler, session }));
    loading(6);
    return {
      settings,
      provenance,
      photos,
      prompts,
      schedule: noiseSchedule(diffusion.scheduler),
      scaling: diffusion.vae.config.scalingFactor,
      scorer,
      trainer,
      encode,
      writeCheckpoint: checkpointWriter(diffusion, trainer, lora?.config),
      embedding: (text) => embeddings.of(text),
      ...createPainter(generator, settings, side, embeddings, control),
      release,
    };
  });
}

async function promptsOf(request: TrainRequest): Promise<Studio["prompts"]> {
  const set = request.prompts === undefined ? defaultPrompts(request.class) : await readPrompts(request.prompts);
  const fill = (template: string) => fillPrompt(template, request);
  return { plain: fill(set.plain), training: set.training.map(fill), validation: set.validation.map(fill) };
}

/** Embeds all texts of the run, and lets the text encoder go. */
async function embedAll(
  model: StableDiffusion,
  texts: readonly string[],
  session: SessionOptions,
): Promise<Embeddings> {
  const encoded = await withResources(async (own) => own(await openTextEncoder(model, session)).encode(texts));
  const known = new Map(texts.map((text, i) => [text, encoded[i]]));
  return {
    length: encoded[0].states.shape[0],
    of(text) {
      const embedding = known.get(text);
      if (embedding === undefined) throw new Error(`no embedding of "${text}"`);
      return embedding;
    },
  };
}

/** Which layers the LoRA adapts, and where it starts. @throws UsageError when the U-Net has none of them */
function loraOf({ rank, loraAlpha, targets, seed }: TrainSettings, config: UnetConfig) {
  const lora: LoraConfig = {
    rank,
    alpha: loraAlpha,
    targets: targets === "attention" ? ATTENTION_TARGETS : [...ATTENTION_TARGETS, ...FEED_FORWARD_TARGETS],
  };
  const start = initialLora(unetGraph(config, lora), new Random(seed).split("lora"));
  if (start.size === 0)
    throw new UsageError("--adapter lora: this U-Net has no attention to adapt; use --adapter full");
  return { config: lora, start };
}

/** A LoRA's folder as PEFT has it, or the whole U-Net's as diffusers has it. */
function checkpointWriter(
  { folder: model, configFolder }: StableDiffusion,
  { optimizer }: Trainer,
  lora: LoraConfig | undefined,
): CheckpointWriter {
  const { parameters } = optimizer;
  return async (folder) => {
    await optimizer.fetch();
    if (lora !== undefined) {
      await writeLora(folder, { ...lora, parameters, base: repoOfSnapshot(model)?.repo ?? model });
      return;
    }
    await copyText(join(configFolder, "unet", "config.json"), join(folder, "config.json"));
    const tensors = [...parameters].map(([name, tensor]) => ({ name, tensor }));
    await writeSafetensors(join(folder, "diffusion_pytorch_model.safetensors"), tensors);
  };
}

import { createFeatureEncoder } from "../checkpoints/feature-encoder.ts";
import { loadFor, whereOf } from "../checkpoints/part.ts";
import type { StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { openTextEncoder } from "../checkpoints/text-encoder.ts";
import { longPromptNote } from "../diffusion/prompt-embeddings.ts";
import { noiseSchedule } from "../diffusion/schedule.ts";
import type { TextEncoder } from "../diffusion/text-encoding.ts";
import { createGenerator } from "../diffusion/text-to-image.ts";
import { createVaeCodec } from "../diffusion/vae-codec.ts";
import { pixelsPerLatent } from "../models/vae/config.ts";
import { createScorer } from "../reward/scorer.ts";
import { checkUnchanged, versionChanges } from "../runs/config.ts";
import type { RunControl } from "../runs/events.ts";
import { workspaceOf, type SessionOptions } from "../runtime/session-options.ts";
import { assemble, withResources } from "../runtime/resources.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { createImageSampler, type Embeddings } from "./image-sampler.ts";
import type { Method } from "./method.ts";
import { openModels, provenanceOf, resolveSettings } from "./models.ts";
import { startingNotes } from "./starting-notes.ts";
import { encodePicture, readPhotos, trainingSquare, type EncodedPicture, type Encoder } from "./photos.ts";
import { defaultPrompts, fillPrompt, readPrompts, subjectKind, type RunPrompts, type Template } from "./prompts.ts";
import type { TrainingContext } from "./context.ts";
import { trainableOf, writeTrained } from "./trainable.ts";
import { createTrainer } from "./trainer.ts";

/**
 * Loads the models, encodes photos and prompts, compiles the method's objective.
 * @param options.resume whether a run goes on, whose models, photos and prompts must be what it began with
 * @throws UsageError, ModelError before any long work
 */
export async function openContext(
  request: TrainRequest,
  method: Method,
  control: RunControl,
  { resume }: { readonly resume: boolean },
): Promise<TrainingContext> {
  const loading = (done: number) => control.emit({ type: "progress", phase: "loading", done, total: 6 });
  loading(0);
  const warn = (text: string) => control.emit({ type: "warning", text });
  const pictures = await readPhotos(request);
  const prompts = await promptsOf(request);
  const models = await openModels(request, control);
  const { diffusion } = models;
  const settings = resolveSettings(request, diffusion);
  const provenance = await provenanceOf(models, settings, pictures);
  if (resume) {
    await checkUnchanged(settings.output, settings, provenance);
    for (const text of await versionChanges(settings.output, provenance)) warn(text);
  } else for (const text of await startingNotes(settings, { pictures, prompts }, models.reward.tokenizer)) warn(text);
  const { threads, device, precision, memory } = settings;
  const session: SessionOptions = { threads, device, precision, workspace: workspaceOf(memory) };
  const startingPictures = method.startingPictures?.(settings, prompts) ?? [];
  const round = (step: number) => (step < settings.steps ? (method.round?.(step, settings, prompts) ?? []) : []);
  loading(1);

  const texts = [prompts.plain, ...prompts.training, ...prompts.validation].map(({ text }) => text);
  const more = new Set(
    [...startingPictures, ...round(0)].map(({ text }) => text).filter((text) => !texts.includes(text)),
  );
  const embeddings = await embedAll(diffusion, [...texts, "", ...more], session, warn);
  loading(2);
  return assemble(async (own, release) => {
    const { vae: vaePart, unet: unetPart } = diffusion;
    const vae = own(
      createVaeCodec({ config: vaePart.config, weights: await vaePart.load(), session, name: whereOf(vaePart) }),
    );
    const encode: Encoder = (pixels) => vae.encode(pixels);
    const squares = pictures.map((photo) => trainingSquare(photo, settings));
    const photos: EncodedPicture[] = [];
    for (const square of squares) photos.push(await encodePicture(square, encode));
    loading(3);
    const encoder = own(await createFeatureEncoder(models.reward, session));
    const scorer = await createScorer(
      encoder,
      pictures.map(({ image }) => image),
    );
    loading(4);
    const weights = await loadFor(precision, unetPart, settings.adapter);
    loading(5);
    const { config } = unetPart;
    const trainable = (method.trainable ?? trainableOf)(settings, config, weights);
    const side = settings.resolution / pixelsPerLatent(vaePart.config);
    const trainer = own(
      await createTrainer({
        config,
        weights,
        trainable,
        objective: (scope) => method.objective(scope, settings),
        batch: 1,
        latentSize: [side, side],
        textLength: embeddings.length,
        memory,
        session,
      }),
    );
    const unet = { config, weights: trainer.policy, lora: trainable.lora, name: whereOf(unetPart) };
    const generator = own(createGenerator({ unet, vae, scheduler: diffusion.scheduler, session }));
    loading(6);
    return {
      settings,
      provenance,
      photos,
      squares,
      prompts,
      startingPictures,
      round,
      schedule: noiseSchedule(diffusion.scheduler),
      scaling: vaePart.config.scalingFactor,
      scorer,
      trainer,
      encode,
      async writeCheckpoint(folder) {
        await trainer.optimizer.fetch();
        await writeTrained(folder, trainer.optimizer.parameters, trainable, diffusion);
      },
      embedding: (text) => embeddings.of(text),
      ...createImageSampler(generator, settings, side, embeddings, control),
      release,
    };
  });
}

/** The prompts of a run, with their words filled in. @throws UsageError naming their file */
export async function promptsOf(
  request: Pick<TrainRequest, "prompts" | "subject" | "class" | "token">,
): Promise<RunPrompts> {
  const set = request.prompts === undefined ? defaultPrompts(subjectKind(request)) : await readPrompts(request.prompts);
  const fill = (template: Template) => fillPrompt(template, request);
  return { plain: fill({ text: set.plain }), training: set.training.map(fill), validation: set.validation.map(fill) };
}

/** Embeds all texts of the run, and lets the text encoder go. */
export async function embedAll(
  model: StableDiffusion,
  texts: readonly string[],
  session: SessionOptions,
  warn: (text: string) => void,
): Promise<Embeddings> {
  return withResources(async (own) => {
    const encoder = own(await openTextEncoder(model, session));
    const long = longPromptNote(encoder, texts);
    if (long !== undefined) warn(long);
    return embedWith(encoder, texts);
  });
}

/** The embeddings of texts that are read at once by graphs of one length. */
export async function embedWith(encoder: TextEncoder, texts: readonly string[]): Promise<Embeddings> {
  const encoded = await encoder.encode(texts, { parts: Math.max(...texts.map((text) => encoder.partsOf(text))) });
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

import { createFeatureEncoder } from "../checkpoints/feature-encoder.ts";
import { writeWords } from "../checkpoints/embeddings/word-files.ts";
import { loadFor, whereOf } from "../checkpoints/part.ts";
import { createPhotoEncoder } from "../checkpoints/photo-encoder.ts";
import type { LoadedTextModel } from "../diffusion/text-encoding.ts";
import { noiseSchedule } from "../diffusion/schedule.ts";
import { createGenerator } from "../diffusion/text-to-image.ts";
import { createVaeCodec } from "../diffusion/vae-codec.ts";
import { pixelsPerLatent } from "../models/vae/config.ts";
import { createScorer } from "../reward/scorer.ts";
import { checkUnchanged, versionChanges } from "../runs/config.ts";
import type { RunControl } from "../runs/events.ts";
import type { SharedRoom } from "../runtime/graph-set.ts";
import { workspaceOf, type SessionOptions } from "../runtime/session-options.ts";
import { assemble } from "../runtime/resources.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { openFixedLoss, subjectsInTurn } from "./fixed-loss.ts";
import { createImageSampler } from "./image-sampler.ts";
import type { Method } from "./method.ts";
import { openModels, provenanceOf, resolveSettings } from "./models.ts";
import { startingNotes } from "./starting-notes.ts";
import { checkMethod } from "./check-method.ts";
import { NO_DATA, readHeldOutData, readOwnData, trainedPhotos } from "./own-data.ts";
import { prodigyOf } from "./prodigy-options.ts";
import { cuttingOf, sidesMultiple } from "./cutting.ts";
import { latentSizesOf, photosInTurn } from "./photo-buckets.ts";
import { photoInputs } from "./photo-loss.ts";
import { readHeldOut, readPhotos, type Encoder } from "./photos.ts";
import { plainPrompts } from "./prompts.ts";
import { promptsOf } from "./run-prompts.ts";
import type { TrainingContext } from "./context.ts";
import { readTexts } from "./run-texts.ts";
import { watchedCurve } from "./stopping.ts";
import { textLorasIn, trainTextEncoders } from "./text-lora.ts";
import { PLAINLY, watchesPlainly } from "./watched-plainly.ts";
import { trainableOf, writeTrained } from "./trainable.ts";
import { vectorsIn } from "./trained-texts.ts";
import { createTrainer } from "./trainer.ts";
import type { Message } from "../system/named-setting.ts";

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
  const warn = (text: Message) => control.emit({ type: "warning", text });
  checkMethod(method, request);
  const pictures = await readPhotos(request);
  const watched = watchedCurve(request) === "heldOut" ? await readHeldOut(request) : undefined;
  const begun = { isBegun: resume };
  const prompts = await promptsOf(request, begun);
  const ownData = await readOwnData(pictures, request, begun);
  const isPlain = resume && (await watchesPlainly(request, watched));
  const watchedData = watched && (isPlain ? NO_DATA : await readHeldOutData(watched, request, begun));
  const beside = [...ownData.files, ...(watchedData?.files ?? [])];
  const models = await openModels(request, control);
  const { diffusion } = models;
  const settings = resolveSettings(request, diffusion);
  const cutting = cuttingOf(settings, sidesMultiple(diffusion));
  const all = watched ? [...pictures, watched] : pictures;
  const provenance = await provenanceOf(models, settings, all, beside);
  if (resume) {
    await checkUnchanged(settings.output, settings, provenance);
    for (const text of await versionChanges(settings.output, provenance)) warn(text);
    if (isPlain) warn(PLAINLY);
  } else {
    const captions = ownData.captions.flatMap((caption) => caption?.text ?? []);
    const known = { pictures, prompts, captions, cutting };
    for (const text of await startingNotes(settings, known, models.reward.tokenizer)) warn(text);
  }
  const { threads, device, precision, memory } = settings;
  const session: SessionOptions = { threads, device, precision, workspace: workspaceOf(memory) };
  const startingPictures = method.startingPictures?.(settings, prompts) ?? [];
  const round = (step: number) => (step < settings.steps ? (method.round?.(step, settings, prompts) ?? []) : []);
  loading(1);

  const plain = plainPrompts(prompts).map(({ text }) => text);
  const texts = [...plain, ...[...prompts.training, ...prompts.validation].map(({ text }) => text)];
  for (const caption of [...ownData.captions, ...(watchedData?.captions ?? [])])
    if (caption !== undefined) texts.push(caption.text);
  const drawn = [...startingPictures, ...round(0)].map(({ text }) => text);
  const more = new Set(
    [...drawn, ...(method.moreTexts?.(settings, prompts) ?? [])].filter((text) => !texts.includes(text)),
  );
  const allTexts = [...texts, "", ...more];
  const textsOf = method.texts ?? (settings.trainTextEncoder ? trainTextEncoders : undefined);
  const train = textsOf && ((encoders: readonly LoadedTextModel[]) => textsOf(settings, encoders));
  const reading = await readTexts(diffusion, allTexts, { session, warn, train });
  loading(2);
  return assemble(async (own, release) => {
    const { vae: vaePart, unet: unetPart } = diffusion;
    const vae = own(
      createVaeCodec({ config: vaePart.config, weights: await vaePart.load(), session, name: whereOf(vaePart) }),
    );
    const encode: Encoder = (pixels) => vae.encode(pixels);
    const factor = pixelsPerLatent(vaePart.config);
    const { photoEncoder } = models;
    const reader = photoEncoder && own(await createPhotoEncoder(photoEncoder, diffusion.unet.config, session));
    const how = {
      plain,
      encode,
      factor,
      cutting,
      readsSizes: unetPart.config.addition !== undefined,
    };
    const { photos, cuts } = await trainedPhotos(pictures, ownData, settings, { ...how, features: reader?.features });
    await reader?.release();
    loading(3);
    const encoder = own(await createFeatureEncoder(models.reward, session));
    const scorer = await createScorer(
      encoder,
      pictures.map(({ picture }) => picture),
      pictures.map(({ subject }) => subject),
    );
    loading(4);
    const weights = await loadFor(precision, unetPart, settings.adapter);
    loading(5);
    const { config } = unetPart;
    const beside = method.beside?.(settings, config);
    const trainable = { ...(method.trainable ?? trainableOf)(settings, config, weights), beside };
    const side = settings.resolution / factor;
    const shapes = { batch: 1, latentSize: [side, side], textLength: reading.length, texts: reading.trained } as const;
    const room: SharedRoom = new Set();
    const trainer = own(
      await createTrainer({
        config,
        weights,
        trainable,
        prodigy: prodigyOf(settings),
        objective: (scope) => method.objective(scope, settings),
        ...shapes,
        batch: settings.batch,
        photoSizes: latentSizesOf(photos),
        photo: photoInputs(settings),
        memory,
        session,
        room,
      }),
    );
    const embeddings = await reading.open(own, trainer.policy);
    const schedule = noiseSchedule(diffusion.scheduler);
    const scaling = vaePart.config.scalingFactor;
    const openWatched = async () =>
      openFixedLoss({
        ...{ settings, config, trainable, session, schedule, scaling, room, ...shapes },
        parameters: trainer.parameters,
        photos:
          watched === undefined || watchedData === undefined
            ? subjectsInTurn(photos)
            : (await trainedPhotos([watched], watchedData, { ...settings, flip: false }, how)).photos,
        ...(isPlain && { plain: prompts.plain.text }),
        hasBuckets: cutting.hasBuckets,
        embedding: (text) => embeddings.of(text),
      });
    const fixedLoss = watchedCurve(settings) === undefined ? undefined : own(await openWatched());
    const unet = { config, weights: trainer.policy, lora: trainable.lora, name: whereOf(unetPart) };
    const generator = own(createGenerator({ unet, vae, scheduler: diffusion.scheduler, session }));
    loading(6);
    return {
      settings,
      provenance,
      photos,
      cuts,
      photoOf: photosInTurn(photos, settings),
      prompts,
      startingPictures,
      round,
      schedule,
      scaling,
      scorer,
      trainer,
      fixedLoss,
      encode,
      async writeCheckpoint(folder) {
        await trainer.optimizer.fetch();
        const { parameters } = trainer.optimizer;
        const { trained } = reading;
        await writeTrained(folder, parameters, trainable, diffusion, trained && textLorasIn(parameters, trained));
        if (trained?.words !== undefined) await writeWords(folder, trained.words, vectorsIn(parameters, trained));
      },
      embedding: (text) => embeddings.of(text),
      ...createImageSampler(generator, settings, side, embeddings, control),
      release,
    };
  });
}

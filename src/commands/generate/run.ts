import { join } from "node:path";
import type { TextEmbedding } from "../../diffusion/text-encoding.ts";
import { embedPrompts, longPromptNote } from "../../diffusion/prompt-embeddings.ts";
import { readPlain, readWeightsBut } from "../../text/prompt-weights.ts";
import { batchesOf, checkDrawable } from "../../diffusion/text-to-image.ts";
import { toImage } from "../../images/pixels.ts";
import { writePng } from "../../images/write.ts";
import { withResources } from "../../runtime/resources.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { exists, makeFolder } from "../../system/files.ts";
import type { WorkControl, WorkEvent } from "../../system/work.ts";
import { openDrawingModel, picturesTogether, pictureSize, type DrawingModel } from "./drawing-model.ts";
import { drawingNotes, unusedWordNotes } from "./notes.ts";
import { countsTexts } from "./photo.ts";
import { incomplete, plan, writePrompts, type PlannedPicture } from "./planned.ts";
import { differences, drawnWith, pictureRecords, recordOf, textsOfRecord } from "./record.ts";
import type { GeneratedPicture, GenerateSettings } from "./request.ts";

export type GenerateEvent = WorkEvent<"loading" | "drawing"> | ({ readonly type: "picture" } & GeneratedPicture);

export interface GenerateResult {
  readonly pictures: readonly GeneratedPicture[];
  readonly interrupted: boolean;
}

/**
 * Draws pictures of prompts and writes them to a folder, with prompts.json beside them. The signal gives up what is being drawn.
 * @throws UsageError, ModelError
 */
export async function generatePictures(
  settings: GenerateSettings,
  control: WorkControl<GenerateEvent>,
): Promise<GenerateResult> {
  const loading = (done: number) => control.emit({ type: "progress", phase: "loading", done, total: 3 });
  loading(0);
  for (const text of drawingNotes(settings)) control.emit({ type: "warning", text });
  const planned = plan(settings);
  const isWritten = (picture: PlannedPicture) => picture.isBeside !== true;
  const there = new Set<PlannedPicture>();
  for (const picture of planned.filter(isWritten)) {
    if (!(await exists(join(settings.output, picture.file)))) continue;
    if (settings.keep !== true)
      throw new UsageError(
        say`${join(settings.output, picture.file)} exists; choose another ${setting("output")} or ${setting("seed")}`,
      );
    there.add(picture);
  }
  if (there.size === planned.filter(isWritten).length) {
    await writePrompts(settings.output, planned);
    return { pictures: planned, interrupted: false };
  }
  const drawing = await openDrawingModel(settings, {
    warn: (text) => control.emit({ type: "warning", text }),
    check: (model) =>
      checkDrawable(
        { ...pictureSize(settings, model), sampler: settings.sampler, steps: settings.steps },
        { vae: model.vae.config, scheduler: model.scheduler },
      ),
  });
  const size = pictureSize(settings, drawing.model);
  for (const text of unusedWordNotes(settings, drawing.embeddings)) control.emit({ type: "warning", text });
  loading(1);
  const texts = [...new Set(planned.map(({ prompt }) => prompt))];
  const embeddings = await embed(drawing, { ...settings, prompts: texts }, control);
  loading(2);
  return withResources(async (own) => {
    const generator = own(await drawing.openGenerator());
    loading(3);
    const batch = picturesTogether(size, drawing.model, settings.device);
    const { parameters, expected } = settings;
    const actual = parameters === true || expected ? await recordOf(settings, drawing.model, size) : undefined;
    const record = parameters === true ? actual : undefined;
    for (const text of differences(expected, actual)) control.emit({ type: "warning", text });
    const batched = batchesOf(
      planned.map(({ prompt }) => embeddings.of(prompt).prompt),
      batch,
    );
    const wanted = incomplete(planned, there, batched);
    const written = new Set(planned.filter((picture) => !wanted.includes(picture)));
    const drawn = () => planned.filter((picture) => written.has(picture) && isWritten(picture));
    const recordOfPicture = pictureRecords(record, planned, batched);
    if (control.signal.aborted) return { pictures: drawn(), interrupted: true };
    const kept = written.size;
    const batches = generator.batches({
      ...size,
      prompts: wanted.map(({ prompt }) => embeddings.of(prompt).prompt),
      negative: wanted.map(({ prompt }) => embeddings.of(prompt).negative),
      starts: wanted.map(({ seed }) => seed),
      sampler: settings.sampler,
      steps: settings.steps,
      guidanceScale: settings.guidance,
      batch,
      signal: control.signal,
      onStep(done, total) {
        const steps = total / wanted.length;
        control.emit({
          type: "progress",
          phase: "drawing",
          done: kept * steps + done,
          total: planned.length * steps,
        });
      },
    });
    const write = async (pictures: readonly Float32Tensor[]): Promise<void> => {
      await makeFolder(settings.output);
      for (const picture of pictures) {
        const job = wanted[written.size - kept];
        written.add(job);
        if (!isWritten(job)) continue;
        const { file, prompt, seed } = job;
        await writePng(join(settings.output, file), toImage(picture), textsOfRecord(recordOfPicture(job)));
        control.emit({ type: "picture", file, prompt, seed });
      }
      await writePrompts(settings.output, drawn(), (job) => drawnWith(recordOfPicture(job), settings));
    };
    // pictures are written while the next are drawn
    let writing: Promise<void> = Promise.resolve();
    try {
      for await (const pictures of batches) {
        await writing;
        writing = write(pictures);
        writing.catch(() => undefined); // told when it is waited for
      }
    } catch (error) {
      if (!control.signal.aborted || error !== control.signal.reason) {
        await writing.catch(() => undefined);
        throw error;
      }
    }
    await writing;
    return { pictures: drawn(), interrupted: written.size < planned.length };
  });
}

/** Embeds the prompts, and lets the text encoder go. */
async function embed(
  drawing: DrawingModel,
  { prompts, negative, promptWeights, token, photo }: GenerateSettings,
  control: WorkControl<GenerateEvent>,
): Promise<{ of(prompt: string): { prompt: TextEmbedding; negative: TextEmbedding } }> {
  return withResources(async (own) => {
    const encoder = own(await drawing.openTexts());
    const words = [token ?? TRAIN_DEFAULTS.token, ...drawing.embeddings.map(({ word }) => word)];
    const read = promptWeights === true ? readWeightsBut(...words) : readPlain;
    const long = longPromptNote(encoder, countsTexts(photo) ? [...prompts, negative ?? ""] : [], read);
    if (long !== undefined) control.emit({ type: "warning", text: long });
    const embedded = await embedPrompts(encoder, { prompts, negative, read });
    return {
      of(prompt) {
        const i = prompts.indexOf(prompt);
        return { prompt: embedded.prompts[i], negative: embedded.negatives[i] };
      },
    };
  });
}

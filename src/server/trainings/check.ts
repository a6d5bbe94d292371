import { methodEntry } from "../../settings/learning.ts";
import { resolveTraining } from "../../commands/train/resolve.ts";
import type { Interaction } from "../../commands/interaction.ts";
import { isEmbedded } from "../../checkpoints/embedded.ts";
import { defaultPrompts, fillPrompt, readPrompts, subjectKind } from "../../training/prompts.ts";
import { listPhotos } from "../../training/photos.ts";
import { UsageError } from "../../system/errors.ts";
import type { CheckedTraining } from "../api.ts";

/** What the page does not do by itself: it says so, and the training's own process does. */
export const noDownloads: Interaction = {
  fetch: (wanted) =>
    Promise.reject(
      new NeedsDownload(`to be fetched from the hub first: ${wanted.map(({ name }) => name.repo).join(", ")}`),
    ),
  warn: () => undefined,
};

export class NeedsDownload extends UsageError {}

/** The checks of `rpo train`, made before anything begins. @throws UsageError, ModelError with what is wrong */
export async function checkTraining(settings: Readonly<Record<string, unknown>>): Promise<CheckedTraining> {
  const notes: string[] = [];
  const { request } = await resolveTraining(
    { settings, resume: false },
    { ...noDownloads, warn: (line) => void notes.push(line) },
  );
  const prompts =
    request.prompts === undefined ? defaultPrompts(subjectKind(request)) : await readPrompts(request.prompts);
  const words = { ...request, isTokenAlone: methodEntry(request.method).isTokenAlone };
  const photos = (await listPhotos(request)).length;
  if (isEmbedded(request.model) && !isEmbedded(request.images)) notes.push(MINIATURE);
  return {
    prompts: {
      training: prompts.training.map((each) => fillPrompt(each, words).text),
      validation: prompts.validation.map((each) => fillPrompt(each, words).text),
    },
    ...{ notes, photos, steps: request.steps, device: request.device },
  };
}

const MINIATURE =
  "The embedded model is a miniature of a rendered world, 64 pixels wide: it shows how training behaves, but cannot draw what is on photos.";

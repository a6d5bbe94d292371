import { resolveTraining } from "../../commands/train/resolve.ts";
import type { Interaction } from "../../commands/interaction.ts";
import { isEmbedded } from "../../checkpoints/embedded.ts";
import { promptsOf } from "../../training/run-prompts.ts";
import { countPhotos } from "../../training/photos.ts";
import { UsageError } from "../../system/errors.ts";
import type { CheckedTraining } from "../api.ts";
import { messageInFlags } from "../../settings/flag-name.ts";

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
    { ...noDownloads, warn: (line) => void notes.push(messageInFlags(line)) },
  );
  const { training, validation } = await promptsOf(request);
  const photos = (await countPhotos(request)).reduce((sum, count) => sum + count, 0);
  if (isEmbedded(request.model) && !isEmbedded(request.images)) notes.push(MINIATURE);
  return {
    prompts: {
      training: training.map(({ text }) => text),
      validation: validation.map(({ text }) => text),
    },
    ...{ notes, photos, steps: request.steps, device: request.device },
  };
}

const MINIATURE =
  "The embedded model is a miniature of a rendered world, 64 pixels wide: it shows how training behaves, but cannot draw what is on photos.";

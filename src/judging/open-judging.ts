import { createFeatureEncoder } from "../checkpoints/feature-encoder.ts";
import type { StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import type { PictureSource } from "../images/image-cache.ts";
import { firstOfSame } from "../images/same.ts";
import { createScorer, type Scorer } from "../reward/scorer.ts";
import type { Provenance } from "../runs/config.ts";
import type { RunControl } from "../runs/events.ts";
import { holdsRun } from "../runs/folder.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import { workspaceOf } from "../runtime/session-options.ts";
import type { TrainRequest, TrainSettings } from "../settings/train-settings.ts";
import { openModels, provenanceOf, resolveSettings } from "../training/models.ts";
import { promptsOf } from "../training/run-prompts.ts";
import { squareCutting } from "../training/cutting.ts";
import { cutPhotos, readPhotos, type Photo } from "../training/photos.ts";
import type { RunPrompts } from "../training/prompts.ts";
import { openDrawing, type Drawing } from "./drawing.ts";

/** All that checkpoints are judged with, opened once. */
export interface JudgingContext extends Resource {
  readonly settings: TrainSettings;
  readonly provenance: Provenance;
  /** The photos as a training would have them. */
  readonly squares: readonly PictureSource[];
  readonly prompts: RunPrompts;
  /** The starting model. */
  readonly model: StableDiffusion;
  readonly scorer: Scorer;
  readonly drawing: Drawing;
  /** See {@link closestOf}. */
  readonly closest: { readonly closestI?: number };
}

/** What the first line of a run's log says of its photos. */
export function closestOf(scorer: Scorer, photos: readonly Pick<Photo, "thumbnail">[]): { readonly closestI?: number } {
  const firsts = firstOfSame(photos.map(({ thumbnail }) => thumbnail));
  const closestI = scorer.closest(firsts.flatMap((first, i) => (first === i ? [i] : [])));
  return closestI === undefined ? {} : { closestI };
}

/** Opens models, photos and prompts as a training would. @throws UsageError, ModelError before any long work */
export async function openJudging(
  request: TrainRequest,
  control: Pick<RunControl, "emit" | "signal" | "confirm">,
): Promise<JudgingContext> {
  const loading = (done: number) => control.emit({ type: "progress", phase: "loading", done, total: 3 });
  loading(0);
  const pictures = await readPhotos(request);
  const prompts = await promptsOf(request, { isBegun: await holdsRun(request.output) });
  const models = await openModels(request, control);
  const settings = resolveSettings(request, models.diffusion);
  const provenance = await provenanceOf(models, settings, pictures);
  loading(1);
  return assemble(async (own, release) => {
    const { threads, device, precision, memory } = settings;
    const session = { threads, device, precision, workspace: workspaceOf(memory) };
    const encoder = own(await createFeatureEncoder(models.reward, session));
    const scorer = await createScorer(
      encoder,
      pictures.map(({ picture }) => picture),
    );
    loading(2);
    const drawing = await openDrawing(models.diffusion, { settings, prompts }, own, control);
    loading(3);
    return {
      settings,
      provenance,
      squares: await cutPhotos(pictures, squareCutting(settings)),
      prompts,
      model: models.diffusion,
      scorer,
      drawing,
      closest: closestOf(scorer, pictures),
      release,
    };
  });
}

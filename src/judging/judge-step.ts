import { join } from "node:path";
import type { Image } from "../images/image.ts";
import { readHashedImage } from "../images/read.ts";
import { writePng } from "../images/write.ts";
import type { ScoredImage } from "../runs/events.ts";
import { checkpointPath } from "../runs/folder.ts";
import { readJudged, writeJudged, type JudgedCheckpoint } from "../runs/judged.ts";
import { removeValidationPictures } from "../runs/pictures.ts";
import { exists } from "../system/files.ts";
import { validationPictures, type PlacedPicture } from "../training/validation.ts";
import type { JudgedLog } from "./judged-log.ts";
import type { JudgingContext } from "./open-judging.ts";
import type { OpenedTrained } from "./trained.ts";

/** A checkpoint that is to be judged; absent: the starting model. */
export type Opened = Pick<OpenedTrained, "place" | "trained" | "checkpoint" | "isUnchanged">;

/**
 * Draws the validation pictures of a checkpoint, those that a stop has not left, and scores all of them.
 * @param context what it is judged with
 * @param log in which the step is judged no more, from before anything of it changes
 * @returns undefined when interrupted
 * @throws ModelError where weights that are read late are damaged, or the pictures have no score
 */
export async function drawAndScore(
  step: number,
  opened: Opened | undefined,
  { settings, prompts, scorer, drawing }: Pick<JudgingContext, "settings" | "prompts" | "scorer" | "drawing">,
  log: Pick<JudgedLog, "drop">,
): Promise<ScoredImage[] | undefined> {
  const run = settings.output;
  if (opened !== undefined) {
    await log.drop(step);
    await claim(run, opened.checkpoint);
  }
  const pictures = validationPictures(step, { settings, prompts });
  const there = new Set<PlacedPicture>();
  for (const picture of pictures) if (await exists(join(run, picture.path))) there.add(picture);
  const scored = new Map<PlacedPicture, ScoredImage>();
  const score = async (image: Image, placed: PlacedPicture, sha256: string): Promise<void> => {
    const { path, ...picture } = placed;
    const [{ alignI, alignT, nearestI }] = await scorer.scoreNearest([image], [picture.prompt]);
    scored.set(placed, { ...picture, alignI, alignT, nearestI, image: path, sha256 });
  };
  const sampler = await drawing.with(opened?.trained);
  const isDone = await sampler.draw(pictures, {
    phase: "validation",
    skip: (picture) => there.has(picture),
    done: async (image, picture) => score(image, picture, await writePng(join(run, picture.path), image)),
  });
  if (!isDone) return undefined;
  for (const picture of pictures) {
    if (scored.has(picture)) continue;
    const { image, sha256 } = await readHashedImage(join(run, picture.path));
    await score(image, picture, sha256);
  }
  return pictures.flatMap((picture) => scored.get(picture) ?? []);
}

/** Says whose pictures a step's are, and takes those of another file away. */
async function claim(run: string, checkpoint: JudgedCheckpoint): Promise<void> {
  const before = await readJudged(join(run, checkpointPath(checkpoint.step))).catch(() => undefined);
  const isSame = before !== undefined && JSON.stringify(before.files) === JSON.stringify(checkpoint.files);
  if (!isSame) await removeValidationPictures(run, checkpoint.step);
  await writeJudged(run, checkpoint);
}

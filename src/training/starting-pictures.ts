import { join } from "node:path";
import { listPhotosIn } from "../images/folder.ts";
import type { Image } from "../images/image.ts";
import { readHashedImage, readImage } from "../images/read.ts";
import { writePng } from "../images/write.ts";
import type { RunControl } from "../runs/events.ts";
import { isWhole } from "../runs/pictures.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { TrainingContext } from "./context.ts";
import { cutPhoto, squareCutting } from "./cutting.ts";
import { encodePicture } from "./photos.ts";
import type { EncodedStartingPicture, EncodedStartingPictures, StartingPicture } from "./starting-picture.ts";

export interface DrawingOptions {
  /** Whether pictures that are there are an interrupted run's own, and need not be drawn again. */
  readonly reuse: boolean;
  /** The paths of those that are in the log. */
  readonly recorded: ReadonlySet<string>;
  /** What was written before, by path: a picture that is something else now is drawn again. */
  readonly known: ReadonlyMap<string, string>;
}

/**
 * Draws the starting model's pictures that the run's method wants, those that are not there yet, and encodes and scores them.
 * @returns undefined when interrupted
 */
export async function drawStartingPictures(
  context: TrainingContext,
  recorder: Recorder,
  control: RunControl,
  { reuse, recorded, known }: DrawingOptions,
): Promise<EncodedStartingPictures | undefined> {
  const { settings, startingPictures: wanted, scorer } = context;
  const there = new Set<string>();
  if (reuse)
    for (const { path } of wanted) if (await isWhole(join(settings.output, path), known.get(path))) there.add(path);
  const isThere = ({ path }: StartingPicture) => there.has(path);
  const done = async (image: Image, { path }: StartingPicture) => {
    // drawn beside one that was missing: in a run that is longer now its last bits may be others, and steps were taken with what is there
    if (!there.has(path)) await writePng(join(settings.output, path), image);
  };
  const drawnOnes = wanted.filter(({ folder }) => folder === undefined);
  const how = { phase: "drawing", skip: isThere, done } as const;
  if (drawnOnes.length > 0 && !(await context.draw(drawnOnes, how))) return undefined;
  for (const folder of new Set(wanted.flatMap(({ folder }) => folder ?? [])))
    await takeFrom(
      folder,
      wanted.filter((picture) => picture.folder === folder),
      { settings, skip: isThere, done },
    );
  const drawn = new Map<string, EncodedStartingPicture>();
  for (const { path, isScored, use, text, prompt, promptIndex, index, seed } of wanted) {
    const picture = { use, text, prompt, promptIndex, index, seed };
    const file = join(settings.output, path);
    const { image, sha256 } = await readHashedImage(file);
    const alignments = isScored ? (await scorer.score([image], [picture.prompt]))[0] : undefined;
    drawn.set(path, {
      picture: await encodePicture(image, context.encode),
      promptIndex: picture.promptIndex,
      alignments,
    });
    if (!recorded.has(path))
      await recorder.record({
        type: "starting-picture",
        ...picture,
        ...(alignments !== undefined && { alignT: alignments.alignT }),
        image: path,
        sha256,
      });
    control.emit({ type: "progress", phase: "encoding", done: drawn.size, total: wanted.length });
    if (control.signal.aborted) return undefined;
  }
  return drawn;
}

/**
 * Takes pictures of a folder in their order, again from the first where there are fewer, and cut to squares, in place of drawing them:
 * the run's folder has them then as it would have drawn ones.
 */
async function takeFrom(
  folder: string,
  pictures: readonly StartingPicture[],
  {
    settings,
    skip,
    done,
  }: Pick<TrainingContext, "settings"> & {
    readonly skip: (picture: StartingPicture) => boolean;
    readonly done: (image: Image, picture: StartingPicture) => Promise<void>;
  },
): Promise<void> {
  // the folder may be gone by the time a run goes on that has all of them
  const cutting = squareCutting(settings);
  const files = pictures.every(skip) ? [] : await listPhotosIn(folder, "classFolder");
  for (const [i, picture] of pictures.entries())
    if (!skip(picture)) await done(cutPhoto(await readImage(files[i % files.length]), cutting), picture);
}

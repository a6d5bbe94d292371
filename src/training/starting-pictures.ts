import { join } from "node:path";
import { listPhotosIn } from "../images/folder.ts";
import { readHashedImage, readImage } from "../images/read.ts";
import { writePng } from "../images/write.ts";
import type { RunControl } from "../runs/events.ts";
import { isWhole } from "../runs/pictures.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { TrainingContext } from "./context.ts";
import { cutPhoto, squareCutting } from "./cutting.ts";
import type { ImageSampler } from "./image-sampler.ts";
import { encodePicture } from "./photos.ts";
import type { EncodedStartingPicture, EncodedStartingPictures } from "./starting-picture.ts";

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
  const draw: TrainingContext["draw"] =
    settings.classFolder === undefined
      ? (pictures, options) => context.draw(pictures, options)
      : takenFrom(settings.classFolder, context);
  const areDrawn = await draw(wanted, {
    phase: "drawing",
    skip: ({ path }) => there.has(path),
    done: async (image, { path }) => {
      // drawn beside one that was missing: in a run that is longer now its last bits may be others, and steps were taken with what is there
      if (!there.has(path)) await writePng(join(settings.output, path), image);
    },
  });
  if (!areDrawn) return undefined;
  const drawn = new Map<string, EncodedStartingPicture>();
  for (const { path, isScored, ...picture } of wanted) {
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
function takenFrom(folder: string, { settings }: Pick<TrainingContext, "settings">): ImageSampler["draw"] {
  return async (pictures, { done, skip = () => false }) => {
    // the folder may be gone by the time a run goes on that has all of them
    const cutting = squareCutting(settings);
    const files = pictures.every(skip) ? [] : await listPhotosIn(folder, "classFolder");
    for (const [i, picture] of pictures.entries())
      if (!skip(picture)) await done(cutPhoto(await readImage(files[i % files.length]), cutting), picture);
    return true;
  };
}

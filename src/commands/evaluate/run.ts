import { judge, type EvaluationSet } from "../../evaluation/judges.ts";
import { distinctPhotos, sayAgain, type SourcedPhoto } from "../../evaluation/distinct.ts";
import { findMasks } from "../../evaluation/mask-files.ts";
import { maskBackground } from "../../evaluation/masks.ts";
import { readPictures, type Picture } from "../../evaluation/pictures.ts";
import { splitPhotos } from "../../images/hold-out.ts";
import { listPhotosIn, unreadNote } from "../../images/folder.ts";
import { readImage } from "../../images/read.ts";
import { createImageCache, type ImageCache, type PictureSource } from "../../images/image-cache.ts";
import type { Device, Precision } from "../../runtime/device.ts";
import { withResources } from "../../runtime/resources.ts";
import { VERSION } from "../../system/version.ts";
import { writeEvaluation, type Evaluation } from "./files.ts";
import type { JudgeFolders } from "../../evaluation/judge-names.ts";
import { openJudges, type EvaluateControl } from "../../evaluation/open-judges.ts";

export interface EvaluateSettings {
  /** The photos of the subject. */
  readonly references: string;
  /** One of them that was not trained on: the only reference then. */
  readonly holdOut: string | undefined;
  /** A folder with a mask for some photos and pictures, under their names: white where the subject is. */
  readonly masks: string | undefined;
  readonly images: string;
  readonly prompts: string | undefined;
  readonly token: string;
  readonly class: string | undefined;
  /** The encoders' folders; one that is left out does not judge. */
  readonly judges: JudgeFolders;
  /** Where evaluation.json and evaluation.csv go. */
  readonly output: string | undefined;
  readonly threads: number;
  /** Where the judges run. Default: the CPU. */
  readonly device?: Device | undefined;
  readonly precision?: Precision | undefined;
}

/** Judges the pictures of a folder. @throws UsageError, ModelError before any long work; the signal's reason */
export async function evaluatePictures(settings: EvaluateSettings, control: EvaluateControl): Promise<Evaluation> {
  const pictures = await readPictures({ ...settings, folder: settings.images });
  const paths = await listPhotosIn(settings.references, "references");
  splitPhotos(paths, settings.holdOut);
  for (const folder of new Set([settings.references, settings.images])) {
    const unread = await unreadNote(folder);
    if (unread !== undefined) control.emit({ type: "warning", text: unread });
  }
  const cache = createImageCache();
  const photos = await readDistinct(paths, { cache, holdOut: settings.holdOut }, control);
  const { trained: trainedOn, heldOut } = splitPhotos(pathsOf(photos), settings.holdOut);
  const references = heldOut === undefined ? trainedOn : [heldOut];
  const { masks } = settings;
  const set = await readEvaluationSet(
    { pictures, photos, references, trainedOn: heldOut === undefined ? undefined : trainedOn, masks, cache },
    control,
  );
  const each = pictures.length + references.length;
  const cut = set.masked?.images.filter((image) => image !== undefined) ?? [];
  const dino = (set.trainedOn?.length ?? 0) + (set.masked === undefined ? 0 : references.length + cut.length);
  const { verdict, judges } = await withResources(async (own) => {
    const opened = own(await openJudges(settings, control, { each, dino, texts: set.texts }));
    return { verdict: await judge(set, opened.judges), judges: opened.records };
  });
  const evaluation: Evaluation = {
    version: VERSION,
    judges,
    references,
    trainedOn,
    ...verdict,
    pictures: verdict.pictures.map((scores, i) => {
      const { file, prompt, text } = pictures[i];
      return { file, prompt, text, ...scores };
    }),
  };
  if (settings.output !== undefined) await writeEvaluation(settings.output, evaluation);
  return evaluation;
}

/** The photos with their pixels, each once, but for the one that is held out; what is left out is said. */
async function readDistinct(
  paths: readonly string[],
  { cache, holdOut }: { readonly cache: ImageCache; readonly holdOut: string | undefined },
  { emit, signal }: EvaluateControl,
): Promise<readonly SourcedPhoto[]> {
  const { trained, heldOut } = splitPhotos(paths, holdOut);
  const sources: SourcedPhoto[] = [];
  // the one that is held out last: it is then the one that is there again
  for (const path of heldOut === undefined ? trained : [...trained, heldOut]) {
    signal.throwIfAborted();
    sources.push({ path, picture: await cache.put(() => readImage(path)) });
  }
  const { photos, again } = await distinctPhotos(sources);
  const [leak] = again.filter(({ path }) => path === heldOut);
  const twice = again.filter((each) => each !== leak);
  if (twice.length > 0)
    emit({ type: "warning", text: `photos that are there twice count once: ${sayAgain(twice)} again` });
  if (leak === undefined) return photos;
  emit({
    type: "warning",
    text: `the photo that is held out is among the others too: ${sayAgain([leak])} again; if that was trained on, the figures say nothing about a new photo`,
  });
  return [...photos, ...sources.slice(-1)];
}

const pathsOf = (photos: readonly SourcedPhoto[]): string[] => photos.map(({ path }) => path);

/** Reads all pictures that are judged, and with masks those without their background too; not all of them stay in memory. */
async function readEvaluationSet(
  {
    pictures,
    photos,
    references,
    trainedOn,
    masks,
    cache,
  }: {
    readonly pictures: readonly Picture[];
    readonly photos: readonly SourcedPhoto[];
    readonly references: readonly string[];
    readonly trainedOn: readonly string[] | undefined;
    readonly masks: string | undefined;
    readonly cache: ImageCache;
  },
  { signal }: Pick<EvaluateControl, "signal">,
): Promise<EvaluationSet<PictureSource>> {
  /** What `make` gives for each item, one after another. */
  async function eachInTurn<T, R>(items: readonly T[], make: (item: T, index: number) => Promise<R>): Promise<R[]> {
    const out: R[] = [];
    for (const [i, item] of items.entries()) {
      signal.throwIfAborted();
      out.push(await make(item, i));
    }
    return out;
  }
  const of = (paths: readonly string[]) =>
    photos.filter(({ path }) => paths.includes(path)).map(({ picture }) => picture);
  const paths = pictures.map(({ path }) => path);
  const files = masks === undefined ? undefined : await findMasks(masks, { references, images: paths });
  const referenceImages = of(references);
  const images = await eachInTurn(paths, (path) => cache.put(() => readImage(path)));
  const bare = (picture: PictureSource, mask: string) =>
    cache.put(async () => maskBackground(await picture(), await readImage(mask), mask));
  return {
    images,
    texts: pictures.map(({ text }) => text),
    references: referenceImages,
    trainedOn: trainedOn && of(trainedOn),
    masked: files && {
      references: await eachInTurn(files.references, (mask, i) => bare(referenceImages[i], mask)),
      images: await eachInTurn(files.images, async (mask, i) =>
        mask === undefined ? undefined : bare(images[i], mask),
      ),
    },
  };
}

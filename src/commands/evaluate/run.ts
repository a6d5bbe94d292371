import { judge, type EvaluationSet } from "../../evaluation/judges.ts";
import { findMasks } from "../../evaluation/mask-files.ts";
import { maskBackground } from "../../evaluation/masks.ts";
import { readPictures, type Picture } from "../../evaluation/pictures.ts";
import { splitPhotos } from "../../images/hold-out.ts";
import { listImages, readImage } from "../../images/read.ts";
import { createImageCache, type PictureSource } from "../../images/image-cache.ts";
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
  const photos = await listImages(settings.references, "references");
  const { trained: trainedOn, heldOut } = splitPhotos(photos, settings.holdOut);
  const references = heldOut === undefined ? photos : [heldOut];
  const { masks } = settings;
  const set = await readEvaluationSet(
    { pictures, references, trainedOn: heldOut === undefined ? undefined : trainedOn, masks },
    control,
  );
  const each = pictures.length + references.length;
  const cut = set.masked?.images.filter((image) => image !== undefined) ?? [];
  const dino = (set.trainedOn?.length ?? 0) + (set.masked === undefined ? 0 : references.length + cut.length);
  const { verdict, judges } = await withResources(async (own) => {
    const opened = own(await openJudges(settings, control, { each, dino }));
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

/** Reads all pictures that are judged, and with masks those without their background too; not all of them stay in memory. */
async function readEvaluationSet(
  {
    pictures,
    references,
    trainedOn,
    masks,
  }: {
    readonly pictures: readonly Picture[];
    readonly references: readonly string[];
    readonly trainedOn: readonly string[] | undefined;
    readonly masks: string | undefined;
  },
  { signal }: Pick<EvaluateControl, "signal">,
): Promise<EvaluationSet<PictureSource>> {
  const cache = createImageCache();
  /** What `make` gives for each item, one after another. */
  async function eachInTurn<T, R>(items: readonly T[], make: (item: T, index: number) => Promise<R>): Promise<R[]> {
    const out: R[] = [];
    for (const [i, item] of items.entries()) {
      signal.throwIfAborted();
      out.push(await make(item, i));
    }
    return out;
  }
  const read = (paths: readonly string[]) => eachInTurn(paths, (path) => cache.put(() => readImage(path)));
  const paths = pictures.map(({ path }) => path);
  const files = masks === undefined ? undefined : await findMasks(masks, { references, images: paths });
  // references first: every judge needs them, and memory may not hold all pictures
  const referenceImages = await read(references);
  const images = await read(paths);
  const bare = (picture: PictureSource, mask: string) =>
    cache.put(async () => maskBackground(await picture(), await readImage(mask), mask));
  return {
    images,
    texts: pictures.map(({ text }) => text),
    references: referenceImages,
    trainedOn: trainedOn && (await read(trainedOn)),
    masked: files && {
      references: await eachInTurn(files.references, (mask, i) => bare(referenceImages[i], mask)),
      images: await eachInTurn(files.images, async (mask, i) =>
        mask === undefined ? undefined : bare(images[i], mask),
      ),
    },
  };
}

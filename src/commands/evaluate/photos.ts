import { judgePhotos, type Scores } from "../../evaluation/judges.ts";
import { listImages, readImage } from "../../images/read.ts";
import { createImageCache, type PictureSource } from "../../images/image-cache.ts";
import { withResources } from "../../runtime/resources.ts";
import { openJudges, type EvaluateControl, type JudgesSettings } from "../../evaluation/open-judges.ts";

export interface PhotosSettings extends JudgesSettings {
  /** The folder with a subject's photos. */
  readonly references: string;
}

export interface PhotosResult {
  readonly photos: number;
  readonly scores: Scores;
}

/** Judges a subject's photos, each against the others. @throws UsageError, ModelError; the signal's reason */
export async function evaluatePhotos(settings: PhotosSettings, control: EvaluateControl): Promise<PhotosResult> {
  const cache = createImageCache();
  const photos: PictureSource[] = [];
  for (const path of await listImages(settings.references)) photos.push(await cache.put(() => readImage(path)));
  return withResources(async (own) => {
    const { judges } = own(await openJudges(settings, control, { each: photos.length, dino: 0 }));
    return { photos: photos.length, scores: await judgePhotos(photos, judges) };
  });
}

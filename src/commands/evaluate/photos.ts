import { distinctPhotos, type SourcedPhoto } from "../../evaluation/distinct.ts";
import { judgePhotos, type Scores } from "../../evaluation/judges.ts";
import { listPhotosIn } from "../../images/folder.ts";
import { readImage } from "../../images/read.ts";
import { createImageCache } from "../../images/image-cache.ts";
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

/** Judges a subject's photos, each once and against the others. @throws UsageError, ModelError; the signal's reason */
export async function evaluatePhotos(settings: PhotosSettings, control: EvaluateControl): Promise<PhotosResult> {
  const cache = createImageCache();
  const sources: SourcedPhoto[] = [];
  for (const path of await listPhotosIn(settings.references))
    sources.push({ path, picture: await cache.put(() => readImage(path)) });
  const photos = (await distinctPhotos(sources)).photos.map(({ picture }) => picture);
  return withResources(async (own) => {
    const { judges } = own(await openJudges(settings, control, { each: photos.length, dino: 0 }));
    return { photos: photos.length, scores: await judgePhotos(photos, judges) };
  });
}

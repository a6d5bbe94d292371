import { basename } from "node:path";
import { percent } from "../images/buckets.ts";
import type { Size } from "../images/image.ts";
import { mean } from "../reward/statistics.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { bucketOfPhoto, type Cutting } from "./cutting.ts";
import { bucketDealer, photoDealer } from "./draws.ts";
import type { Method } from "./method.ts";
import { latentName, type LatentSize } from "./objective-scope.ts";
import type { Photo, TrainedPhoto } from "./photos.ts";

/** What photos' buckets are to a training. */

/** @throws UsageError where a method needs photos in squares */
export function checkBuckets({ onlySquares }: Pick<Method, "onlySquares">, settings: TrainRequestLike): void {
  if (settings.crop !== "bucket") return;
  const reason = onlySquares?.(settings);
  if (reason !== undefined)
    throw new UsageError(
      say`${setting("crop", settings.crop)}: ${setting("method", settings.method)} ${reason}; use ${setting("crop", "center")}`,
    );
}

type TrainRequestLike = Pick<TrainSettings, "crop" | "method" | "positives">;

/** Which photo a draw (from 1) of a training is of. */
export function photosInTurn(
  photos: readonly Pick<TrainedPhoto, "bucket">[],
  { seed, batch }: Pick<TrainSettings, "seed" | "batch">,
): (draw: number) => number {
  const buckets = photos.flatMap(({ bucket }) => (bucket === undefined ? [] : [nameOf(bucket)]));
  return buckets.length === 0 ? photoDealer(seed, photos.length) : bucketDealer(seed, buckets, batch);
}

/** Height and width of the latents of each bucket that has photos, the largest first; undefined without buckets. */
export function latentSizesOf(photos: readonly Pick<TrainedPhoto, "bucket" | "views">[]): LatentSize[] | undefined {
  const found = new Map<string, LatentSize>();
  for (const { bucket, views } of photos) {
    if (bucket === undefined) return undefined;
    const [, height, width] = views[0].encoded.mean.shape;
    const size = [height, width] as const;
    found.set(latentName(size), size);
  }
  return [...found.values()].sort(([h1, w1], [h2, w2]) => h2 * w2 - h1 * w1 || h1 - h2);
}

/** What people should know of their photos' buckets; undefined without. */
export function bucketNote(photos: readonly (Size & Pick<Photo, "path">)[], cutting: Cutting): string | undefined {
  const buckets = photos.flatMap((photo) => {
    const bucket = bucketOfPhoto(photo, cutting);
    return bucket === undefined ? [] : [{ ...bucket, name: basename(photo.path) }];
  });
  if (buckets.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const bucket of buckets) counts.set(nameOf(bucket), (counts.get(nameOf(bucket)) ?? 0) + 1);
  const listed = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} of ${name}`);
  const most = buckets.reduce((a, b) => (b.cut > a.cut ? b : a));
  return `photos in buckets, width x height: ${listed.join(", ")}; ${percent(mean(buckets.map(({ cut }) => cut)))} of a photo is cut off on average, at most ${percent(most.cut)} (${most.name})`;
}

function nameOf({ width, height }: Size): string {
  return `${width} x ${height}`;
}

import { basename } from "node:path";
import { firstOfSame, type Thumbnail } from "../images/same.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { oneLine } from "../system/printable.ts";
import type { Cutting } from "./cutting.ts";
import { bucketNote } from "./photo-buckets.ts";
import type { Photo } from "./photos.ts";

/** Standard deviation of the levels (of 255) below which a photo shows nothing. */
const BLANK_DEVIATION = 3;
/** Against the photos' median brightness, and the level that a picture which is dark by itself has. */
const DARK = { share: 1 / 3, level: 50 };

const MOST_NAMED = 10;
const MOST_LETTERS = 80;

/** What people should know of the photos before they are trained on: lines for a warning each. */
export function photoNotes(
  photos: readonly Pick<Photo, "path" | "width" | "height" | "thumbnail">[],
  { resolution, cutting }: Pick<TrainSettings, "resolution"> & { readonly cutting?: Cutting | undefined },
): string[] {
  const names = photos.map(({ path }) => oneLine(basename(path), MOST_LETTERS));
  const thumbnails = photos.map(({ thumbnail }) => thumbnail);
  const firsts = firstOfSame(thumbnails);
  const again = names.flatMap((name, i) => (firsts[i] === i ? [] : [`${name} is ${names[firsts[i]]}`]));
  const small = photos.flatMap(({ width, height }, i) => {
    const trained = cutting?.sizeOf({ width, height }) ?? { width: resolution, height: resolution };
    return width < trained.width || height < trained.height ? [`${names[i]} (${width} x ${height})`] : [];
  });
  const levels = thumbnails.map(levelsOf);
  const blank = names.filter((_, i) => levels[i].deviation < BLANK_DEVIATION);
  const median = medianOf(levels.map(({ mean }) => mean));
  const dark = names.filter(
    (name, i) => !blank.includes(name) && levels[i].mean < DARK.level && levels[i].mean < DARK.share * median,
  );
  const ofBuckets = cutting && bucketNote(photos, cutting);
  return [
    ...(ofBuckets === undefined ? [] : [ofBuckets]),
    ...noteOf(again, (list) => `the same photo twice, trained on twice as often as the others: ${list} again`),
    ...noteOf(
      small,
      (list) =>
        `made larger to be trained on ${cutting?.hasBuckets === true ? "in their buckets" : `at ${resolution} x ${resolution} pixels`}, which blurs what is learnt: ${list}`,
    ),
    ...noteOf(blank, (list) => `of one colour, with nothing on it to learn: ${list}`),
    ...noteOf(dark, (list) => `much darker than the other photos: ${list}`),
  ];
}

function noteOf(found: readonly string[], text: (list: string) => string): string[] {
  const more = found.length > MOST_NAMED ? `, and ${found.length - MOST_NAMED} more` : "";
  return found.length === 0 ? [] : [text(found.slice(0, MOST_NAMED).join(", ") + more)];
}

/** Of luma, Rec. 601. */
function levelsOf({ pixels }: Thumbnail): { readonly mean: number; readonly deviation: number } {
  const count = pixels.length / 3;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < pixels.length; i += 3) {
    const luma = 0.299 * pixels[i] + 0.587 * pixels[i + 1] + 0.114 * pixels[i + 2];
    sum += luma;
    squares += luma ** 2;
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean ** 2)) };
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

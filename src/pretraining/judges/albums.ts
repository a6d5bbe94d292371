import { Random } from "../../tensor/random.ts";
import { sampleInstance, type Split } from "../../world/instance.ts";
import type { Wanted } from "../../world/sample.ts";
import { CLASS_NAMES, type Instance } from "../../world/scene.ts";
import { openPictures, type PictureSet, type PictureSetOptions } from "../pictures.ts";

/** Several views of each of many instances. Instance `i` is of class `i` modulo the number of classes. */
export interface Album {
  readonly pictures: PictureSet;
  readonly instances: number;
  readonly views: number;
}

export interface AlbumOptions extends Pick<PictureSetOptions, "folder" | "name" | "onProgress"> {
  readonly instances: number;
  readonly views: number;
  readonly split?: Split;
}

/** The picture with this number of an album, which has `views` pictures of an instance after another. */
export function albumScene({ name, views, split = "train" }: Omit<AlbumOptions, "folder" | "instances">) {
  return (index: number): Wanted => ({
    instance: albumInstance(name, Math.floor(index / views), split),
    // as photos of a subject are: in any place, but not recoloured and not painted
    colour: null,
    style: null,
  });
}

function albumInstance(name: string, number: number, split: Split): Instance {
  return sampleInstance(new Random(0).split("album", name, number), CLASS_NAMES[number % CLASS_NAMES.length], split);
}

/** Renders an album, or reads what has been rendered. */
export async function openAlbum(options: AlbumOptions): Promise<Album> {
  const { folder, name, instances, views, onProgress } = options;
  const pictures = await openPictures({
    folder,
    name,
    count: instances * views,
    wanted: albumScene(options),
    ...(onProgress && { onProgress }),
  });
  return { pictures, instances, views };
}

/**
 * Pictures for a contrastive step: pairs of views, next to each other, of instances that come from few classes, so that most others
 * in the batch are of the same class and only identity tells them apart.
 *
 * @param pairs a multiple of `classes`
 * @returns numbers of pictures, two for each pair
 */
export function dealPairs(album: Album, rng: Random, pairs: number, classes: number): number[] {
  const perClass = album.instances / CLASS_NAMES.length;
  return rng
    .shuffle(CLASS_NAMES.map((_, i) => i))
    .slice(0, classes)
    .flatMap((classIndex) => distinct(rng, perClass, pairs / classes).map((n) => n * CLASS_NAMES.length + classIndex))
    .flatMap((instance) => distinct(rng, album.views, 2).map((view) => instance * album.views + view));
}

/** `count` different integers below `limit`. */
function distinct(rng: Random, limit: number, count: number): number[] {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, limit)) chosen.add(rng.integer(limit));
  return [...chosen];
}

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "../tensor/random.ts";
import { makeFolder, writeFileAtomic } from "../system/files.ts";
import { FRAME } from "../world/compose.ts";
import { renderScenes } from "../world/render.ts";
import { sampleScene, type Wanted } from "../world/sample.ts";
import type { Scene } from "../world/scene.ts";

/** Bytes of a picture: RGB, row by row. */
export const PICTURE_BYTES = FRAME * FRAME * 3;

/** Pictures in one file. */
const SHARD = 4096;
/** Pictures rendered between two progress reports. */
const PART = 256;

export interface PictureSetOptions {
  /** Where rendered pictures are kept; they are rendered again when the folder is gone. */
  readonly folder: string;
  /** Sets of different names share no scene. */
  readonly name: string;
  readonly count: number;
  /** What every scene must show, or the scene with a number. */
  readonly wanted?: Wanted | ((index: number) => Wanted);
  readonly onProgress?: (done: number, total: number) => void;
}

/** A scene, and a caption that tells the truth about it. */
export interface Sample {
  readonly scene: Scene;
  readonly caption: string;
}

/** Scenes of the world by number, with their pictures in memory. */
export interface PictureSet {
  readonly count: number;
  /** The picture as RGB bytes, row by row: a view, not to be written to. */
  pixels(index: number): Uint8Array;
  sample(index: number): Sample;
}

/** The scene and the caption with this number of the set `name`. */
export function sampleOf(name: string, index: number, wanted: NonNullable<PictureSetOptions["wanted"]> = {}): Sample {
  return sampleScene(
    new Random(0).split("pictures", name, index),
    typeof wanted === "function" ? wanted(index) : wanted,
  );
}

/** Renders what is missing, shard by shard, and reads the rest. */
export async function openPictures(options: PictureSetOptions): Promise<PictureSet> {
  const { folder, name, count, wanted = {}, onProgress } = options;
  await makeFolder(folder);
  const shards: Uint8Array[] = [];
  for (let start = 0; start < count; start += SHARD) {
    const size = Math.min(SHARD, count - start);
    const path = join(folder, `${name}-${String(shards.length).padStart(3, "0")}.rgb`);
    const known = await readShard(path, size);
    shards.push(known && (await isCurrent(known, name, start, wanted)) ? known : await renderShard(path, start, size));
  }
  return {
    count,
    pixels(index) {
      const within = (index % SHARD) * PICTURE_BYTES;
      return shards[Math.floor(index / SHARD)].subarray(within, within + PICTURE_BYTES);
    },
    sample: (index) => sampleOf(name, index, wanted),
  };

  async function renderShard(path: string, start: number, size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size * PICTURE_BYTES);
    for (let done = 0; done < size; done += PART) {
      const numbers = Array.from({ length: Math.min(PART, size - done) }, (_, i) => start + done + i);
      const rendered = await renderScenes(numbers.map((index) => sampleOf(name, index, wanted).scene));
      rendered.forEach(({ image }, i) => bytes.set(image, (done + i) * PICTURE_BYTES));
      onProgress?.(start + done + numbers.length, count);
    }
    await writeFileAtomic(path, bytes);
    return bytes;
  }
}

/** A shard that holds at least `size` pictures. */
async function readShard(path: string, size: number): Promise<Uint8Array | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || info.size < size * PICTURE_BYTES) return undefined;
  return readFile(path);
}

/** Pictures of a shard that are drawn again, to see whether the world has changed: enough for every class and place. */
const COMPARED = 48;

/** Whether the world still draws some of the shard's pictures, spread over it, as it did. */
async function isCurrent(
  shard: Uint8Array,
  name: string,
  start: number,
  wanted: PictureSetOptions["wanted"],
): Promise<boolean> {
  const count = Math.floor(shard.length / PICTURE_BYTES);
  const length = Math.min(COMPARED, count);
  const compared = Array.from({ length }, (_, i) => Math.floor((i * count) / length));
  const drawn = await renderScenes(compared.map((i) => sampleOf(name, start + i, wanted).scene));
  return drawn.every(({ image }, i) => {
    const from = compared[i] * PICTURE_BYTES;
    return Buffer.compare(image, shard.subarray(from, from + PICTURE_BYTES)) === 0;
  });
}

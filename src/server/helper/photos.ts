import { basename } from "node:path";
import { readImage } from "../../images/read.ts";
import { encodePng } from "../../images/write.ts";
import { thumbnailOf } from "../../images/same.ts";
import { unreadNote } from "../../images/folder.ts";
import { inFlags } from "../../settings/flag-name.ts";
import { photoNotes } from "../../training/photo-notes.ts";
import { listPhotos, trainingSquare, type Photo } from "../../training/photos.ts";
import type { PhotoList, PhotoRow } from "../api.ts";

/** Sides of the squares that are shown. */
const SHOWN_SIDE = 256;

/** A folder's photos as training will see them, with what it would say of them. */
export async function listOf(folder: string, resolution: number): Promise<Omit<PhotoList, "folder">> {
  let paths: readonly string[];
  try {
    paths = await listPhotos({ images: folder, holdOut: undefined });
  } catch (error) {
    return { photos: [], notes: [], problem: inFlags(error) };
  }
  const rows: PhotoRow[] = [];
  const read: Pick<Photo, "path" | "width" | "height" | "thumbnail">[] = [];
  for (const path of paths) {
    const name = basename(path);
    try {
      const image = await readImage(path);
      const { width, height } = image;
      read.push({ path, width, height, thumbnail: thumbnailOf(image) });
      rows.push({ name, width, height });
    } catch (error) {
      rows.push({ name, problem: inFlags(error).replace(`${path}: `, "") });
    }
  }
  const unread = await unreadNote(folder);
  return { photos: rows, notes: [...photoNotes(read, { resolution }), ...(unread === undefined ? [] : [unread])] };
}

/** The square that is cut out of a photo, upright. @returns a PNG */
export async function squareOf(file: string, crop: "center" | "none"): Promise<Buffer> {
  return encodePng(trainingSquare({ image: await readImage(file) }, { crop, resolution: SHOWN_SIDE }));
}

import { basename } from "node:path";
import { EMBEDDED_MODEL } from "../../checkpoints/embedded.ts";
import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { modelFolder } from "../../commands/models/names.ts";
import { cropTo } from "../../images/crop.ts";
import { readImage } from "../../images/read.ts";
import { encodePng } from "../../images/write.ts";
import { thumbnailOf } from "../../images/same.ts";
import { unreadNote } from "../../images/folder.ts";
import { inFlags, messageInFlags } from "../../settings/flag-name.ts";
import { photoNotes } from "../../training/photo-notes.ts";
import { bucketOfPhoto, cuttingOf, sidesMultiple, type Cutting } from "../../training/cutting.ts";
import { bucketText } from "../../images/buckets.ts";
import { listPhotos, type Photo } from "../../training/photos.ts";
import { exists } from "../../system/files.ts";
import type { PhotoList, PhotoRow } from "../api.ts";
import type { HowCut } from "./messages.ts";

/** Of the pictures that are shown, the longer side. */
const SHOWN_SIDE = 256;

/** A folder's photos as training will see them, with what it would say of them. */
export async function listOf(folder: string, how: HowCut): Promise<Omit<PhotoList, "folder">> {
  let paths: readonly string[];
  try {
    paths = await listPhotos({ images: folder, holdOut: undefined });
  } catch (error) {
    return { photos: [], notes: [], problem: inFlags(error) };
  }
  // what is wrong with the settings is no reason to hide the photos
  const { cutting, problem } = await cuttingFor(how).then(
    (cutting) => ({ cutting, problem: undefined }),
    (error: unknown) => ({ cutting: undefined, problem: inFlags(error) }),
  );
  const rows: PhotoRow[] = [];
  const read: Pick<Photo, "path" | "width" | "height" | "thumbnail">[] = [];
  for (const path of paths) {
    const name = basename(path);
    try {
      const image = await readImage(path);
      const { width, height } = image;
      read.push({ path, width, height, thumbnail: thumbnailOf(image) });
      const bucket = cutting && bucketOfPhoto(image, cutting);
      rows.push({ name, width, height, ...(bucket !== undefined && { bucket: bucketText(bucket) }) });
    } catch (error) {
      rows.push({ name, problem: inFlags(error).replace(`${path}: `, "") });
    }
  }
  const unread = await unreadNote(folder);
  const notes = photoNotes(read, { resolution: how.resolution, cutting });
  return {
    photos: rows,
    notes: [
      ...(problem === undefined ? [] : [problem]),
      ...notes,
      ...(unread === undefined ? [] : [messageInFlags(unread)]),
    ],
  };
}

/** What is cut out of a photo, upright and small. @returns a PNG */
export async function cutOf(file: string, how: HowCut): Promise<Buffer> {
  const image = await readImage(file);
  const cutting = await cuttingFor(how);
  const { width, height } = cutting.sizeOf(image);
  const scale = SHOWN_SIDE / Math.max(width, height);
  const shown = { width: Math.round(width * scale), height: Math.round(height * scale) };
  return encodePng(cropTo(image, shown, cutting.mode));
}

async function cuttingFor(how: HowCut): Promise<Cutting> {
  return cuttingOf(how, how.crop === "bucket" ? await multipleOf(how.model) : 1);
}

/** How long what a model's files say is taken for what they still say. */
const KNOWN_MS = 10_000;
let known: { readonly model: string; readonly until: number; readonly multiple: Promise<number> } | undefined;

/** Each photo's thumbnail asks for it: the model is read once for all of them. */
function multipleOf(model: string): Promise<number> {
  const now = performance.now();
  if (known?.model !== model || known.until < now)
    known = { model, until: now + KNOWN_MS, multiple: readMultiple(model) };
  return known.multiple;
}

/** By the model's configuration where it is on this machine, else as far as its name tells. */
async function readMultiple(model: string): Promise<number> {
  const path = modelFolder("model", model === "" ? EMBEDDED_MODEL : model);
  if (await exists(path)) return sidesMultiple(await openStableDiffusion(path));
  return /xl/i.test(model) ? 32 : 64;
}

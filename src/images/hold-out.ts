import { basename } from "node:path";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";

/** Photos without the one that is kept from training, to judge by. */
export interface Split {
  readonly trained: readonly string[];
  readonly heldOut: string | undefined;
}

/** @param name the file's name, with or without its folder; undefined holds none out. @throws UsageError when it is none of the photos, or the only one */
export function splitPhotos(photos: readonly string[], name: string | undefined): Split {
  if (name === undefined) return { trained: photos, heldOut: undefined };
  // macOS writes names decomposed (NFD), keyboards and other systems composed (NFC)
  const wanted = basename(name).normalize("NFC");
  const heldOut =
    photos.find((path) => basename(path) === basename(name)) ??
    photos.find((path) => basename(path).normalize("NFC") === wanted);
  if (heldOut === undefined)
    throw new UsageError(
      say`${setting("holdOut", name)}: no such photo (there are ${photos.map((p) => basename(p)).join(", ")})`,
    );
  if (photos.length === 1) throw new UsageError(say`${setting("holdOut", name)}: it is the only photo`);
  return { trained: photos.filter((path) => path !== heldOut), heldOut };
}

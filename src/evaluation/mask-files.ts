import { basename } from "node:path";
import { listImages, stem } from "../images/folder.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";

/** The files with masks: one for each reference, and for the pictures that have one. */
export interface MaskFiles {
  readonly references: readonly string[];
  readonly images: readonly (string | undefined)[];
}

/**
 * The masks in a folder that belong to photos and pictures: those of the same name, whatever the extension.
 * @throws UsageError when a reference has none, when no picture has one, or when one fits a photo and a picture
 */
export async function findMasks(
  folder: string,
  { references, images }: { readonly references: readonly string[]; readonly images: readonly string[] },
): Promise<MaskFiles> {
  const masks = new Map((await listImages(folder, "masks")).map((path) => [composedStem(path), path]));
  const maskOf = (path: string) => masks.get(composedStem(path));
  const both = references.find(
    (path) => maskOf(path) !== undefined && images.some((image) => composedStem(image) === composedStem(path)),
  );
  if (both !== undefined)
    throw new UsageError(
      say`${setting("masks", folder)}: ${basename(maskOf(both) ?? "")} fits the photo ${basename(both)} and a picture alike; rename one of them and its mask`,
    );
  const found = { references: references.map(maskOf), images: images.map(maskOf) };
  const without = references.find((_, i) => found.references[i] === undefined);
  if (without !== undefined)
    throw new UsageError(
      say`${setting("masks", folder)}: expected a mask for every photo that is compared with, but there is none for ${basename(without)}`,
    );
  if (found.images.every((mask) => mask === undefined))
    throw new UsageError(
      say`${setting("masks", folder)}: expected a mask for some of the pictures, named as they are, such as ${composedStem(images[0])}.png`,
    );
  return { references: found.references.filter((mask) => mask !== undefined), images: found.images };
}

/** macOS writes names decomposed, other systems composed. */
function composedStem(path: string): string {
  return stem(path).normalize("NFC");
}

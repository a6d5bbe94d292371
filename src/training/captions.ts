import { extname } from "node:path";
import { strayCharacter } from "../system/characters.ts";
import { UsageError } from "../system/errors.ts";
import { exists, reasonOf } from "../system/files.ts";
import { say, setting } from "../system/message.ts";
import { escapePattern } from "../system/patterns.ts";
import { readText } from "../system/regular-files.ts";
import { MOST_CHARACTERS } from "../text/tokenizer.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { ReadingPrompts } from "./prompts.ts";
import { tidy, unknownWord, withoutIdentifier } from "./identifier.ts";

/** Texts beside photos, as captioning programs leave them. */

/** Ends of their names, in the place of the photo's extension. */
const ENDS = [".txt", ".caption"];

/** The caption's file of a photo; undefined where there is none. */
async function captionFile(photo: string): Promise<string | undefined> {
  const stem = photo.slice(0, photo.length - extname(photo).length);
  for (const end of ENDS) if (await exists(stem + end)) return stem + end;
  return undefined;
}

/** A photo's caption, as its prompt. */
export interface Caption {
  readonly path: string;
  readonly text: string;
}

/**
 * The captions of photos, in their order; undefined for one that has none.
 * @throws UsageError naming a caption that is empty, too long or no text, or the photo that has none where each is to have one
 */
export async function readCaptions(
  photos: readonly string[],
  { captions, ...words }: Pick<TrainSettings, "captions" | "token" | "class">,
  reading: ReadingPrompts = {},
): Promise<(Caption | undefined)[]> {
  const found: (Caption | undefined)[] = [];
  for (const photo of photos) {
    const path = captions === "off" ? undefined : await captionFile(photo);
    if (path === undefined && captions === "on")
      throw new UsageError(
        say`${setting("captions", captions)}: ${photo} has none (expected a text file of its name); write one, or use ${setting("captions", "auto")}`,
      );
    found.push(path === undefined ? undefined : { path, text: captionPrompt(await readCaption(path, reading), words) });
  }
  return found;
}

async function readCaption(path: string, { isBegun = false }: ReadingPrompts): Promise<string> {
  const text = tidy(
    await readText(path).catch((error: unknown) => {
      throw new UsageError(`${path}: ${reasonOf(error)}`, { cause: error });
    }),
  );
  if (text === "")
    throw new UsageError(`${path}: the caption is empty; write what is on the photo, or remove the file`);
  if (text.length > MOST_CHARACTERS)
    throw new UsageError(`${path}: ${text.length} characters, expected a caption of at most ${MOST_CHARACTERS}`);
  if (isBegun) return text;
  const stray = strayCharacter(text);
  if (stray !== undefined) throw new UsageError(`${path}: it holds ${stray}`);
  const unknown = unknownWord(text);
  if (unknown !== undefined)
    throw new UsageError(
      `${path}: there is no ${unknown}, only {token} for the identifier and {class} for the class word`,
    );
  return text;
}

/**
 * What the model reads of a caption: the identifier stands where {token} does. A caption without it that has the identifier in it is taken as it
 * is; in one that names the class the identifier goes before that; others get both in front.
 */
export function captionPrompt(
  caption: string,
  { token, class: className }: { readonly token: string; readonly class: string },
): string {
  const named = caption.replaceAll("{class}", () => className);
  if (named.includes("{token}")) return tidy(named.replaceAll("{token}", () => token));
  if (withoutIdentifier(caption, token) !== tidy(caption)) return tidy(named);
  const word = new RegExp(`(?<![\\p{L}\\p{N}])${escapePattern(className)}(?![\\p{L}\\p{N}])`, "iu");
  return word.test(named) ? named.replace(word, (found) => `${token} ${found}`) : `${token} ${className}, ${named}`;
}

import { readdir } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { UsageError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { say, setting } from "../system/message.ts";
import { oneLine } from "../system/printable.ts";
import { readBeginning } from "../system/regular-files.ts";
import { describeOther, kindOf, LOOKED_AT } from "./kinds.ts";
import type { Message } from "../system/named-setting.ts";

/** The kinds of files that {@link listImages} takes for pictures; the second to sixth are other names of JPEGs. */
const EXTENSIONS = [
  ".jpg",
  ".jpeg",
  ".jpe",
  ".jif",
  ".jfif",
  ".pjpeg",
  ".png",
  ".webp",
  ".avif",
  ".tif",
  ".tiff",
  ".gif",
];

/** Names of HEIC pictures, under which phones and clouds also write JPEGs. */
const MAYBE_JPEG = [".heic", ".heif", ".hif"];

/** Files of other programs beside pictures, which nobody takes for one: nothing is said of them. */
const BESIDE = /^(?:Thumbs\.db|desktop\.ini|Icon\r|.*\.(?:json|jsonl|csv|md|html|npz|safetensors))$/i;
const CAPTIONS = [".txt", ".caption", ".cap"];

/** Folders of ours beside photos: masks that `rpo evaluate --masks` takes. */
const KNOWN_FOLDERS = ["masks"];

interface Folder {
  /** Names of pictures, sorted. */
  readonly pictures: readonly string[];
  /** Names of other files, sorted. */
  readonly others: readonly string[];
  /** Names of folders, sorted. */
  readonly folders: readonly string[];
}

async function readFolder(folder: string): Promise<Folder> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith("."));
  const namesOf = (isFolder: boolean) =>
    entries
      .filter((entry) => entry.isDirectory() === isFolder)
      .map(({ name }) => name)
      .sort();
  const pictures: string[] = [];
  const others: string[] = [];
  for (const name of namesOf(false)) {
    const extension = extname(name).toLowerCase();
    const isPicture =
      EXTENSIONS.includes(extension) ||
      (MAYBE_JPEG.includes(extension) && kindOf(await beginningOf(join(folder, name))) === "jpeg");
    (isPicture ? pictures : others).push(name);
  }
  return { pictures, others, folders: namesOf(true) };
}

/** The first bytes; none of what cannot be read. */
async function beginningOf(path: string): Promise<Buffer> {
  return readBeginning(path, LOOKED_AT).catch(() => Buffer.alloc(0));
}

/** dog.jpg has its mask in dog.mask.png. */
export const MASK_END = ".mask.png";

/** The pictures in a folder but the masks of others of them. @param name of the setting that named it @throws UsageError as {@link listImages} */
export async function listPhotosIn(folder: string, name?: string): Promise<string[]> {
  const pictures = await listImages(folder, name);
  const photos = pictures.filter((path) => !path.endsWith(MASK_END));
  return photos.length === 0 ? pictures : photos;
}

/**
 * The paths of the pictures in `folder`, sorted by name (by code unit, so the same everywhere); hidden files and other kinds are left out.
 *
 * @param name of the setting that gave the folder, for messages
 * @throws UsageError when there is no such folder or no picture in it, which says what is there instead
 */
export async function listImages(folder: string, name?: string): Promise<string[]> {
  const what = name === undefined ? folder : setting(name, folder);
  const found = await readFolder(folder).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT"
        ? "no such folder"
        : code === "ENOTDIR"
          ? "expected a folder with pictures, but it is a file"
          : reasonOf(error);
    throw new UsageError(say`${what}: ${reason}`, { cause: error });
  });
  if (found.pictures.length === 0) {
    const instead = await describeUnread(folder, found);
    const there = instead.length === 0 ? "" : say`; there: ${listed(instead)}`;
    throw new UsageError(say`${what}: no pictures in it (looked for ${EXTENSIONS.join(", ")})${there}`);
  }
  return found.pictures.map((each) => join(folder, each));
}

/**
 * What is beside the pictures in a folder and not read, as a line for people; undefined where there is nothing to say.
 * @param options.captions whether captions are read
 * @param options.hint how they would be
 */
export async function unreadNote(
  folder: string,
  { captions = false, hint }: { readonly captions?: boolean; readonly hint?: Message } = {},
): Promise<Message | undefined> {
  const found = await readFolder(folder);
  const isCaption = (name: string) => captions && CAPTIONS.slice(0, 2).includes(extname(name).toLowerCase());
  const others = found.others.filter((name) => !isCaption(name));
  const unread = await describeUnread(folder, { ...found, others }, hint);
  return unread.length === 0 ? undefined : say`not read of ${folder}: ${listed(unread)}`;
}

const MOST_NAMED = 10;

function listed(all: readonly Message[]): Message {
  const more = all.length > MOST_NAMED ? `, and ${all.length - MOST_NAMED} more` : "";
  return say`${all.slice(0, MOST_NAMED).reduce((before, each) => say`${before}, ${each}`)}${more}`;
}

async function describeUnread(
  folder: string,
  { pictures, others, folders }: Folder,
  captionHint?: Message,
): Promise<Message[]> {
  const stems = new Set(pictures.map(stem));
  const out: Message[] = [];
  const captions: string[] = [];
  for (const name of others.filter((each) => !BESIDE.test(each))) {
    if (CAPTIONS.includes(extname(name).toLowerCase())) {
      if (stems.has(stem(name))) captions.push(name);
      continue;
    }
    out.push(`${oneLine(name, 80)} (${await whatItIs(join(folder, name))})`);
  }
  if (captions.length > 0) {
    const how = captionHint === undefined ? "" : say` (${captionHint})`;
    const more = captions.length > 1 ? ` and ${captions.length - 1} more captions` : ", a caption";
    out.push(say`${oneLine(captions[0], 80)}${more}${how}`);
  }
  for (const name of pictures.length === 0 ? folders : folders.filter((each) => !KNOWN_FOLDERS.includes(each))) {
    const below = await readFolder(join(folder, name)).catch(() => undefined);
    if (below !== undefined && below.pictures.length > 0)
      out.push(`${picturesOf(below)} in its folder ${oneLine(name, 80)}`);
  }
  if (pictures.length === 0) {
    const above = dirname(resolve(folder));
    const found = above === resolve(folder) ? undefined : await readFolder(above).catch(() => undefined);
    if (found !== undefined && found.pictures.length > 0)
      out.push(`${picturesOf(found)} in the folder above, ${above}`);
  }
  return out;
}

/** Cameras' raw files, most of which begin as a TIFF does. */
const RAW = /\.(?:cr2|cr3|nef|nrw|arw|dng|orf|rw2|raf|pef|srw)$/i;

async function whatItIs(path: string): Promise<string> {
  if (RAW.test(path)) return "a camera's raw picture; save it as a JPEG";
  const beginning = await beginningOf(path);
  const kind = kindOf(beginning);
  if (kind !== undefined)
    return `${kind === "avif" ? "an" : "a"} ${kind.toUpperCase()} by its content; give it the extension .${kind}`;
  return beginning.length === 0 ? "empty" : describeOther(beginning, extname(path));
}

function picturesOf({ pictures }: Folder): string {
  return pictures.length === 1 ? "a picture" : `${pictures.length} pictures`;
}

/** A file's name without its folder and extension. */
export function stem(name: string): string {
  return basename(name).replace(/\.[^.]+$/, "");
}

/** What a file is by its content, whatever it is called: no decoder sees what is not on this list. */

export type PictureKind = "jpeg" | "png" | "webp" | "avif" | "tiff" | "gif";

/** The first bytes, in Latin-1. */
const BEGINNINGS: Readonly<Record<PictureKind, RegExp>> = {
  jpeg: /^\xff\xd8\xff/,
  png: /^\x89PNG\r\n\x1a\n/,
  webp: /^RIFF[^]{4}WEBP/,
  // ISO/IEC 23008-12: brands after the box's length; "mif1" alone does not say how it is coded
  avif: /^[^]{4}ftyp(?:[^]{4})*?(?:avif|avis)/,
  tiff: /^(?:II[*+]\0|MM\0[*+])/,
  gif: /^GIF8[79]a/,
};

const NAMES: Readonly<Record<PictureKind, string>> = {
  jpeg: "a JPEG",
  png: "a PNG",
  webp: "a WebP",
  avif: "an AVIF",
  tiff: "a TIFF",
  gif: "a GIF",
};

/** What people mistake for pictures, or send as such. */
const OTHERS: readonly (readonly [pattern: RegExp, what: string, hint?: string])[] = [
  [/^version https:\/\/git-lfs/, "a Git LFS pointer", "run `git lfs pull`"],
  [/^[^]{4}ftyp(?:hei|hev|mif1|msf1)/, "an HEIC picture", "save it as a JPEG"],
  [/^(?:\xff\x0a|\0\0\0\x0cJXL )/, "a JPEG XL picture", "save it as a JPEG or PNG"],
  [/^(?:\xff\x4f\xff\x51|\0\0\0\x0cjP)/, "a JPEG 2000 picture", "save it as a JPEG or PNG"],
  [/^BM/, "a BMP picture", "save it as a PNG"],
  [/^8BPS/, "a Photoshop file"],
  [/^(?:FUJIFILMCCD-RAW|IIU\0|II\x1a\0\0\0HEAPCCDR)/, "a camera's raw picture", "save it as a JPEG"],
  [/^\0\0[\x01\x02]\0/, "an icon"],
  [/^[^]{4}ftyp/, "a film"],
  [/^%PDF/, "a PDF"],
  [/^\x1f\x8b/, "a file that gzip compressed"],
  [/^PK\x03\x04/, "a zip archive"],
  [/^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)/i, "a web page"],
  [/<svg[\s>]/i, "an SVG drawing"],
  [/^(?:\xef\xbb\xbf)?\s*<\?xml/, "an XML file"],
  [/^[\t\n\r\x20-\x7e\x80-\xff]+$/, "text"],
];

/** Enough to tell; an avif's brand may come late in its list, and an XML file's first element after a comment. */
export const LOOKED_AT = 1024;

export function kindOf(bytes: Buffer): PictureKind | undefined {
  const start = startOf(bytes);
  const kinds = Object.keys(BEGINNINGS) as PictureKind[];
  // the list of brands ends with its box
  const brands = bytes.length >= 4 ? start.slice(0, bytes.readUInt32BE(0)) : start;
  return kinds.find((kind) => BEGINNINGS[kind].test(kind === "avif" ? brands : start));
}

/** "an SVG drawing under the name of a PNG" @param extension of the file's name, such as ".png" */
export function describeOther(bytes: Buffer, extension: string): string {
  const start = startOf(bytes);
  const [, what = "a file of an unknown kind", hint] = OTHERS.find(([pattern]) => pattern.test(start)) ?? [];
  const name = extension
    .toLowerCase()
    .replace(/^\.jpg$/, ".jpeg")
    .replace(/^\.tif$/, ".tiff")
    .slice(1);
  const called = Object.hasOwn(NAMES, name) ? ` under the name of ${NAMES[name as PictureKind]}` : "";
  return `${what}${called}${hint === undefined ? "" : `; ${hint}`}`;
}

function startOf(bytes: Buffer): string {
  return bytes.toString("latin1", 0, LOOKED_AT);
}

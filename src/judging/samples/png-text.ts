import { readBeginning } from "../../system/regular-files.ts";

/** Bytes of a picture's file in which its texts are looked for: programs write them before the pixels. */
const LOOKED_AT = 2 ** 20;

/** Keywords under which programs write a prompt. */
const KEYS = ["parameters", "prompt", "Description"];

/**
 * The prompt that a PNG says in a text chunk (tEXt, or iTXt that is not compressed), as A1111 and others write it: without the lines
 * about how it was drawn.
 * @returns undefined for other files, and where there is none
 */
export async function promptInPng(path: string): Promise<string | undefined> {
  const bytes = await readBeginning(path, LOOKED_AT).catch(() => Buffer.alloc(0));
  if (bytes.toString("latin1", 1, 4) !== "PNG") return undefined;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (at + 8 + length > bytes.length || type === "IDAT") return undefined;
    const text = textOf(type, bytes.subarray(at + 8, at + 8 + length));
    // a graph of ComfyUI's is no prompt
    if (text !== undefined && !text.startsWith("{")) return text;
    at += 12 + length;
  }
  return undefined;
}

function textOf(type: string, data: Buffer): string | undefined {
  const end = data.indexOf(0);
  if (end < 0 || !KEYS.includes(data.toString("latin1", 0, end))) return undefined;
  let value: string | undefined;
  if (type === "tEXt") value = data.toString("latin1", end + 1);
  // keyword, 0, compressed, method, language, 0, translated keyword, 0, text
  if (type === "iTXt" && data[end + 1] === 0) {
    const language = data.indexOf(0, end + 3);
    const translated = data.indexOf(0, language + 1);
    if (language >= 0 && translated >= 0) value = data.toString("utf8", translated + 1);
  }
  return value
    ?.split(/\r?\n(?:Negative prompt:|Steps:)/)[0]
    .replace(/\s+/g, " ")
    .trim();
}

/** What a file that is not text in UTF-8 looks like: said to people, and never acted upon. */

/** What is saved where a text is expected, by its beginning in Latin-1. */
const OTHERS: readonly (readonly [beginning: RegExp, what: string])[] = [
  [/^PK\x03\x04[^]*?word\//, "a Word document (.docx); save it as plain text"],
  [/^PK\x03\x04[^]*?xl\//, "an Excel workbook (.xlsx); save it as plain text"],
  [/^PK\x03\x04/, "a zip archive, as word processors write them; save it as plain text"],
  [/^\xd0\xcf\x11\xe0/, "a document of Microsoft Office; save it as plain text"],
  [/^\{\\rtf/, "rich text (RTF), as TextEdit and WordPad write it; save it as plain text"],
  [/^%PDF-/, "a PDF"],
  [/^\x1f\x8b/, "a file that gzip compressed"],
  [/^\xff\xd8\xff/, "a JPEG"],
  [/^\x89PNG/, "a PNG"],
];

const LOOKED_AT = 4096;

/** "a PDF"; undefined for what may be text. */
export function otherThanText(bytes: Uint8Array): string | undefined {
  const start = latin1(bytes.subarray(0, LOOKED_AT));
  return OTHERS.find(([beginning]) => beginning.test(start))?.[1];
}

/**
 * "it looks like Windows-1252 (Latin-1): ..."; undefined where nothing can be told.
 * @param at the first byte that is not UTF-8
 */
export function guessEncoding(bytes: Uint8Array, at = 0): string | undefined {
  const wide = guessWide(bytes);
  if (wide !== undefined) return `it looks like ${wide} without a byte order mark`;
  if (bytes[at] < 0x80) return undefined;
  const before = bytes.subarray(0, at);
  if (bytes[at] === 0xed) return "it looks like CESU-8, which writes halves of UTF-16 as characters";
  if (before.some((byte) => byte >= 0x80))
    return "what is before it is UTF-8, so that the file is damaged or put together from two";
  const rest = bytes.subarray(at);
  // of one byte both may be: "café" in Latin-1 ends as a text in UTF-8 does that was cut behind "caf"
  if (isBeginning(rest))
    return rest.length > 1
      ? "the file ends within a character: it was cut"
      : `${guessNarrow(bytes)}, or the file was cut within its last character`;
  return guessNarrow(bytes);
}

/** By where the zeros of the letters of ASCII are. */
function guessWide(bytes: Uint8Array): string | undefined {
  const count = [0, 0, 0, 0];
  const length = Math.min(bytes.length, LOOKED_AT) & ~3;
  for (let i = 0; i < length; i++) if (bytes[i] === 0) count[i % 4]++;
  const most = length / 4;
  const [a, b, c, d] = count.map((zeros) => zeros > most / 2);
  if (b && c && d) return "UTF-32LE";
  if (a && b && c) return "UTF-32BE";
  if (b && d && !a && !c) return "UTF-16LE";
  if (a && c && !b && !d) return "UTF-16BE";
  return undefined;
}

/** Whether these few bytes begin a character of UTF-8 and end before it does. */
function isBeginning(rest: Uint8Array): boolean {
  const [first] = rest;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return first >= 0xc2 && rest.length < length && rest.subarray(1).every((byte) => byte >= 0x80 && byte < 0xc0);
}

/** Encodings of one or two bytes for a letter: by how the bytes outside ASCII stand together. */
function guessNarrow(bytes: Uint8Array): string {
  const runs = latin1(bytes).match(/[\x80-\xff]+/g) ?? [];
  const longest = Math.max(...runs.map((run) => run.length));
  // in Western texts, letters with accents stand among others
  if (longest <= 2) {
    const name = /[\x80-\x9f]/.test(runs.join("")) ? "Windows-1252" : "Latin-1 (Windows-1252)";
    return `it looks like ${name}, where it reads ${sample(bytes)}`;
  }
  const japanese = ["shift_jis", "euc-jp"]
    .map((name) => decoded(bytes, name))
    .find((text) => /[\u3040-\u30ff]/.test(text ?? ""));
  if (japanese !== undefined) return "it looks like Shift-JIS or EUC-JP";
  if (runs.every((run) => run.length % 2 === 0) && decoded(bytes, "gb18030") !== undefined)
    return "it looks like GBK, Big5 or EUC-KR";
  return "it looks like Windows-1251, KOI8-R or another encoding of one byte a letter";
}

/** What Windows-1252 has from 0x80 to 0x9F, where Latin-1 has control characters. Node 20 to 24 read the one as the other. */
const WINDOWS = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ";

/** The first word in Windows-1252 that is not all ASCII. */
function sample(bytes: Uint8Array): string {
  const text = latin1(bytes).replace(/[\x80-\x9f]/g, (letter) => WINDOWS[letter.charCodeAt(0) - 0x80]);
  const [word = ""] = /\S*[^\p{ASCII}]\S*/u.exec(text) ?? [];
  return JSON.stringify(word.slice(0, 40));
}

function decoded(bytes: Uint8Array, name: string): string | undefined {
  try {
    return new TextDecoder(name, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

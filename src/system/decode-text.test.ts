import { describe, expect, test } from "vitest";
import { strayCharacter } from "./characters.ts";
import { decodeText } from "./decode-text.ts";
import { everyLine, linesOf } from "./lines-or-json.ts";

const TEXT = "a café 🐶\non the Moon\n";

/** UTF-16 and UTF-32 by hand: Node writes neither with the high byte first, nor UTF-32 at all. */
function utf16(text: string, little: boolean): Buffer {
  const out = Buffer.alloc(2 * text.length);
  for (let i = 0; i < text.length; i++)
    if (little) out.writeUInt16LE(text.charCodeAt(i), 2 * i);
    else out.writeUInt16BE(text.charCodeAt(i), 2 * i);
  return out;
}
function utf32(text: string, little: boolean): Buffer {
  const codes = Array.from(text, (letter) => letter.codePointAt(0) ?? 0);
  const out = Buffer.alloc(4 * codes.length);
  for (const [i, code] of codes.entries())
    if (little) out.writeUInt32LE(code, 4 * i);
    else out.writeUInt32BE(code, 4 * i);
  return out;
}

describe("a text is the same whatever encoding its byte order mark names", () => {
  test.each([
    ["UTF-8 without a mark", Buffer.from(TEXT)],
    ["UTF-8", Buffer.from(`\uFEFF${TEXT}`)],
    ["UTF-16LE", utf16(`\uFEFF${TEXT}`, true)],
    ["UTF-16BE", utf16(`\uFEFF${TEXT}`, false)],
    ["UTF-32LE", utf32(`\uFEFF${TEXT}`, true)],
    ["UTF-32BE", utf32(`\uFEFF${TEXT}`, false)],
  ])("%s", (_, bytes) => {
    expect(decodeText(bytes)).toBe(TEXT);
    // a view into a larger buffer, at an odd place
    const larger = Buffer.concat([Buffer.from("x"), bytes, Buffer.from("x")]);
    expect(decodeText(larger.subarray(1, -1))).toBe(TEXT);
  });
});

describe("what is no text is refused, naming the line and what it looks like", () => {
  const latin1 = (text: string) => Buffer.from(text, "latin1");
  test.each([
    [
      "Latin-1",
      latin1("a dog\na caf\xe9\n"),
      'line 2: not text in UTF-8 (byte 0xE9); it looks like Latin-1 (Windows-1252), where it reads "café"',
    ],
    ["Latin-1 after old Macintosh line ends", latin1("a dog\rin\ra caf\xe9\r"), "line 3: "],
    ["Windows-1252", latin1("a \x93dog\x94"), 'it looks like Windows-1252, where it reads "“dog”"'],
    [
      "UTF-16LE without a mark",
      utf16("a dog\na cat", true),
      "line 1: a zero byte (U+0000), which no text has; it looks like UTF-16LE without a byte order mark",
    ],
    ["UTF-16BE without a mark", utf16("a dog\na cat", false), "it looks like UTF-16BE without"],
    ["UTF-32LE without a mark", utf32("a dog\na cat", true), "it looks like UTF-32LE without"],
    ["UTF-32BE without a mark", utf32("a dog\na cat", false), "it looks like UTF-32BE without"],
    ["Shift-JIS", Buffer.from([0x83, 0x8f, 0x83, 0x93, 0x83, 0x52, 0x82, 0xcc, 0x20]), "it looks like Shift-JIS"],
    ["GBK", Buffer.from([0xb9, 0xb7, 0xd4, 0xda, 0xba, 0xa3, 0xcc, 0xb2]), "it looks like GBK, Big5 or EUC-KR"],
    ["a zero", Buffer.from("a dog\na\0 cat"), "line 2: a zero byte (U+0000)"],
    ["half a character in UTF-16", utf16("\uFEFFa\n\ud83d b", true), "line 2: half of a character in UTF-16"],
    ["UTF-16 of an odd length", utf16("\uFEFFa dog", true).subarray(0, -1), "ends within a character of UTF-16"],
    [
      "half a character in UTF-8",
      Buffer.from([0x61, 0x0a, 0xed, 0xa0, 0xbd]),
      "line 2: not text in UTF-8 (byte 0xED); it looks like CESU-8",
    ],
    ["UTF-8 that was cut", Buffer.from("a 犬").subarray(0, -1), "the file ends within a character: it was cut"],
    [
      "Latin-1 that ends in an accent, as a UTF-8 that was cut",
      latin1("a caf\xe9"),
      'line 1: not text in UTF-8 (byte 0xE9); it looks like Latin-1 (Windows-1252), where it reads "café", or the file was cut within its last character',
    ],
    [
      "UTF-8 with Latin-1 behind it",
      Buffer.concat([Buffer.from("é\n"), latin1("\xe9\n")]),
      "line 2: not text in UTF-8 (byte 0xE9); what is before it is UTF-8",
    ],
    ["an overlong character", Buffer.from([0xc0, 0xaf]), "line 1: not text in UTF-8 (byte 0xC0)"],
    ["beyond UTF-32", Buffer.concat([utf32("\uFEFFa", true), Buffer.from([0, 0, 0x11, 0])]), "no character of UTF-32"],
    ["rich text", Buffer.from("{\\rtf1\\ansi a {class}}"), "rich text (RTF)"],
    ["a Word document", Buffer.from("PK\x03\x04 word/document.xml"), "a Word document (.docx)"],
    ["a photo", latin1("\xff\xd8\xff\xe0"), "expected text, but this is a JPEG"],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeText(bytes)).toThrow(message);
  });
});

test("every text in UTF-8 is read as Node reads it", () => {
  for (let code = 1; code <= 0x10ffff; code += code < 0x3000 ? 1 : 97)
    if (code < 0xd800 || code > 0xdfff) {
      const text = `a${String.fromCodePoint(code)}b`;
      expect(decodeText(Buffer.from(text))).toBe(text);
    }
});

test("prompts end at every line end that there is, lists of programs at those of Python", () => {
  expect(linesOf("a\rb\r\nc\nd\fe\u2028f\u2029g\u0085h\vi\n\n \t j k \n")).toEqual([
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j k",
  ]);
  expect(everyLine("a\rb\r\n\nc\u2028d\n")).toEqual(["a", "b", "", "c\u2028d"]);
  expect(everyLine("a\nb")).toEqual(["a", "b"]);
  expect(everyLine("")).toEqual([]);
});

test("a stray character is named, and white space, emoji and every script are none", () => {
  expect(strayCharacter("a\0b")).toBe("the control character U+0000");
  expect(strayCharacter("a\x1b[31m")).toBe("the control character U+001B");
  expect(strayCharacter("a \ud83d dog")).toBe("half of a character (U+D83D without its other half)");
  expect(strayCharacter("caf\ufffd")).toMatch(/^U\+FFFD, which stands for a character that was lost/);
  expect(strayCharacter("\ufffea")).toMatch(/^U\+FFFE/);
  expect(strayCharacter("a\tb\f\u2028 🐶‍🦺 犬 كلب e\u0301 \u200f")).toBeUndefined();
});

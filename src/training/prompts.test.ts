import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { defaultPrompts, fillPrompt, readPrompts, recordedKind, subjectKind } from "./prompts.ts";

const words = { token: "[V]", class: "dog" };

test("the identifier never reaches the reward's text", () => {
  for (const template of [
    ...defaultPrompts("live").training,
    ...defaultPrompts("object").training,
    { text: "{token}, a {class}" },
  ]) {
    const { text, rewardText } = fillPrompt(template, words);
    expect(text).toContain("[V]");
    expect(rewardText).not.toContain("[V]");
    expect(rewardText).toContain("dog");
    expect(rewardText).not.toMatch(/ {2}|^ | $/);
  }
});

test("an identifier that is written out in a template does not reach the reward either, and a word that holds it does", () => {
  expect(fillPrompt({ text: "a [V] {class} on the Moon" }, words)).toEqual({
    text: "a [V] dog on the Moon",
    rewardText: "a dog on the Moon",
    likeness: true,
  });
  expect(fillPrompt({ text: "a {token} {class} that asks" }, { token: "sks", class: "dog" }).rewardText).toBe(
    "a dog that asks",
  );
  const hyphen = fillPrompt({ text: "a my-dog {class}, {token}/{class}" }, { token: "my-dog", class: "dog" });
  expect(hyphen.rewardText).toBe("a dog, /dog");
  expect(fillPrompt({ text: "a sks {class}" }, { token: "sks", class: "sks dog" }).rewardText).toBe("a sks dog");
});

test("a token that looks like a pattern is put in word for word", () => {
  expect(fillPrompt({ text: "a {token} {class}" }, { token: "$&", class: "dog" }).text).toBe("a $& dog");
});

test("a run of version 0.1.0 goes on with the prompts that it has, a new one says where its word is another now", () => {
  expect(["husky", "hot dog"].map((word) => subjectKind({ class: word }))).toEqual(["object", "live"]);
  expect(["dog", "husky", "vase"].map((word) => recordedKind(undefined, word))).toEqual([undefined, "live", undefined]);
  expect(recordedKind("object", "dog")).toBe("object");
});

test("the default prompts are those of the class word's kind, unless the user says it", () => {
  const kindOf = (word: string) => subjectKind({ class: word, subject: recordedKind(undefined, word) });
  expect(["dog", "husky", "hot dog", "vase"].map(kindOf)).toEqual(["live", "live", "object", "object"]);
  expect(subjectKind({ class: "Hund", subject: "live" })).toBe("live");
  expect(defaultPrompts("live").training.map(({ text }) => text)).toContain("a {token} {class} is swimming in a pool");
  expect(defaultPrompts("object").training.map(({ text }) => text)).not.toContain(
    "a {token} {class} is swimming in a pool",
  );
});

async function fileOf(content: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "rpo-prompts-")), "prompts");
  await writeFile(path, content);
  return path;
}

test.each([
  ["a line each", "a {token} {class} here\n\na {class} there\n"],
  ["a JSON list", '["a {token} {class} here", "a {class} there"]'],
  ["a JSON list with a mark before it", '\uFEFF["a {token} {class} here", "a {class} there"]'],
])("prompts as %s train and validate", async (_form, content) => {
  const list = ["a {token} {class} here", "a {class} there"];
  expect(await readPrompts(await fileOf(content))).toEqual({
    plain: "a photo of {token} {class}",
    training: list.map((text) => ({ text })),
    validation: list.map((text) => ({ text })),
  });
});

test("a prompt that repaints the subject says that its pictures need not look like it", async () => {
  const file = await fileOf('["a {class} here", {"text": "a red {class}", "likeness": false}]');
  const { training } = await readPrompts(file);
  expect(training).toEqual([{ text: "a {class} here" }, { text: "a red {class}", likeness: false }]);
  expect(training.map((template) => fillPrompt(template, words).likeness)).toEqual([true, false]);
});

test("the authors' prompts that repaint the subject are marked", () => {
  for (const className of ["live", "object"] as const)
    expect(defaultPrompts(className).training.flatMap(({ text, likeness = true }) => (likeness ? [] : [text]))).toEqual(
      ["a {token} {class} in Vincent Van Gogh rendition", "a green {token} {class}"],
    );
});

test.each([
  ["[]", "at least one prompt"],
  ['[{"text": "a {class}", "likenes": false}]', "likenes"],
  ['["a dog"]', "lacks {class}"],
  ['{"training": ["a {class}"], "negatives": []}', "negatives"],
  ['["a {tokn} {class}"]', "there is no {tokn}, only {token} and {class}"],
  ['{"training": ', "not valid JSON"],
])("%s is refused: %s", async (content, message) => {
  const reading = readPrompts(await fileOf(content));
  await expect(reading).rejects.toThrow(UsageError);
  await expect(reading).rejects.toThrow(message);
});

test("words that nothing fills in are left to a run that began with them", async () => {
  const path = await fileOf('["a {token} {class} of { tokn }"]');
  await expect(readPrompts(path)).rejects.toThrow("there is no { tokn }");
  expect((await readPrompts(path, { isBegun: true })).training).toEqual([{ text: "a {token} {class} of { tokn }" }]);
});

const TWO = ["a {token} {class} on the Moon", "a green {token} {class}"];

test.each([
  ["UTF-16LE with CRLF, as PowerShell writes it", "u.txt", Buffer.from(`\uFEFF${TWO.join("\r\n")}\r\n`, "utf16le")],
  ["UTF-16BE", "u.txt", Buffer.from(`\uFEFF${TWO.join("\n")}`, "utf16le").swap16()],
  ["a list in UTF-16", "u.json", Buffer.from(`\uFEFF${JSON.stringify(TWO)}`, "utf16le")],
  ["a list in UTF-16 under the name of a text", "u.txt", Buffer.from(`\uFEFF${JSON.stringify(TWO)}`, "utf16le")],
  ["CR alone", "c.txt", Buffer.from(`${TWO.join("\r")}\r`)],
  ["U+2028", "c.txt", Buffer.from(TWO.join("\u2028"))],
  ["form feeds", "c.txt", Buffer.from(TWO.join("\f\n"))],
])("prompts in %s are the same two", async (_, name, bytes) => {
  const path = join(await mkdtemp(join(tmpdir(), "rpo-prompts-")), name);
  await writeFile(path, bytes);
  expect((await readPrompts(path)).training).toEqual(TWO.map((text) => ({ text })));
});

test.each([
  ["Latin-1", "l.txt", Buffer.from("a {token} {class} in a caf\xe9\n", "latin1"), "l.txt: line 1: not text in UTF-8"],
  ["a zero", "n.txt", Buffer.from("a {token} {class}\0 moon\n"), "n.txt: line 1: a zero byte"],
  [
    "an escaped zero",
    "n.json",
    Buffer.from('["a {class}\\u0000 moon"]'),
    "prompt 1: .* holds the control character U\\+0000",
  ],
  [
    "half of an emoji",
    "n.json",
    Buffer.from('["a {class}", "a {class} \\ud83d"]'),
    "prompt 2: .* holds half of a character",
  ],
  [
    "a lost letter",
    "n.txt",
    Buffer.from("a {class} in a caf\ufffd"),
    "prompt 1: .* holds U\\+FFFD, which stands for a character",
  ],
  ["a terminal's escape", "n.txt", Buffer.from("a {class} \x1b[31m"), "holds the control character U\\+001B"],
])("%s in prompts is refused", async (_, name, bytes, message) => {
  const path = join(await mkdtemp(join(tmpdir(), "rpo-prompts-")), name);
  await writeFile(path, bytes);
  await expect(readPrompts(path)).rejects.toThrow(new RegExp(message));
});

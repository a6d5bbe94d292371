import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { defaultPrompts, fillPrompt, isLive, readPrompts } from "./prompts.ts";

const words = { token: "[V]", class: "dog" };

test("the identifier never reaches the reward's text", () => {
  for (const template of [
    ...defaultPrompts("dog").training,
    ...defaultPrompts("vase").training,
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

test.each([
  ["dog", true],
  ["corgi dog", true],
  ["Cat", true],
  ["dog toy", false],
  ["backpack", false],
])("the class word %o is alive: %o", (className, live) => {
  expect(isLive(className)).toBe(live);
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
  for (const className of ["dog", "vase"])
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

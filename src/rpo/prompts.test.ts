import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../tensor/errors.ts";
import { defaultPrompts, fillPrompt, isLive, readPrompts } from "./prompts.ts";

const words = { token: "[V]", class: "dog" };

test("the identifier never reaches the reward's text", () => {
  for (const template of [
    ...defaultPrompts("dog").training,
    ...defaultPrompts("vase").training,
    "{token}, a {class}",
  ]) {
    const { text, rewardText } = fillPrompt(template, words);
    expect(text).toContain("[V]");
    expect(rewardText).not.toContain("[V]");
    expect(rewardText).toContain("dog");
    expect(rewardText).not.toMatch(/ {2}|^ | $/);
  }
});

test("a token that looks like a pattern is put in word for word", () => {
  expect(fillPrompt("a {token} {class}", { token: "$&", class: "dog" }).text).toBe("a $& dog");
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
])("prompts as %s train and validate", async (_form, content) => {
  const list = ["a {token} {class} here", "a {class} there"];
  expect(await readPrompts(await fileOf(content))).toEqual({
    plain: "a photo of {token} {class}",
    training: list,
    validation: list,
  });
});

test.each([
  ["[]", "at least one prompt"],
  ['["a dog"]', "lacks {class}"],
  ['{"training": ["a {class}"], "negatives": []}', "negatives"],
  ['{"training": ', "not valid JSON"],
])("%s is refused: %s", async (content, message) => {
  const reading = readPrompts(await fileOf(content));
  await expect(reading).rejects.toThrow(UsageError);
  await expect(reading).rejects.toThrow(message);
});

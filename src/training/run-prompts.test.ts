import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TRAIN_DEFAULTS } from "../settings/train-settings.ts";
import { promptsOf } from "./run-prompts.ts";

const [dog, pot] = [
  { images: "dog", class: "dog", token: "<new1>" },
  { images: "pot", class: "teapot", token: "<new2>" },
];

async function promptsOfTwo(...lines: readonly string[]) {
  const prompts = join(await mkdtemp(join(tmpdir(), "rpo-prompts-")), "prompts.txt");
  await writeFile(prompts, lines.join("\n"));
  const request = { ...TRAIN_DEFAULTS, ...dog, method: "custom" as const, prompts, concepts: [dog, pot] };
  return promptsOf(request);
}

test("of two subjects each has every prompt, with its own word and class", async () => {
  const { validation } = await promptsOfTwo("a {token} {class} on the Moon", "a {token} {class} in the snow");
  expect(validation.map(({ text, rewardText, subject }) => [text, rewardText, subject])).toEqual([
    ["a <new1> dog on the Moon", "a dog on the Moon", 0],
    ["a <new1> dog in the snow", "a dog in the snow", 0],
    ["a <new2> teapot on the Moon", "a teapot on the Moon", 1],
    ["a <new2> teapot in the snow", "a teapot in the snow", 1],
  ]);
});

test("a prompt with the word of one of them is refused: it would be of two, and the reward could not read it", async () => {
  await expect(
    promptsOfTwo("a {token} {class} on the Moon", "a {token} {class} beside a <new2> teapot"),
  ).rejects.toThrow(/"a \{token\} \{class\} beside a <new2> teapot" holds <new2>, the word of one subject/);
});

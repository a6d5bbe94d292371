import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { GENERATE } from "../settings/generate.ts";
import { TRAIN } from "../settings/train.ts";
import { advice, surplusMessage } from "./surplus.ts";

const anywhere = () => true;
const photos = ["photos/2.jpg", "photos/3.jpg"];

describe("what a shell made of a * is said with what to write instead:", () => {
  test("the folder, of a flag that takes one", () => {
    const words = ["node", "rpo", "train", "--images", "photos/1.jpg", ...photos, "--class", "dog"];
    expect(advice(words, photos, TRAIN, anywhere)).toBe(
      "; --images takes the folder and not what is in it: --images photos",
    );
  });

  test("the flag again, of one that may be given several times", () => {
    const words = ["node", "rpo", "generate", "--lora", "a.safetensors", "b.safetensors"];
    expect(advice(words, ["b.safetensors"], GENERATE, anywhere)).toBe(
      "; give each its own --lora: --lora a.safetensors --lora b.safetensors ...",
    );
  });

  test("one, of an argument", () => {
    expect(advice(["node", "rpo", "report", "runs/a", "runs/b"], ["runs/b"], {}, anywhere)).toContain("one at a time");
  });

  test("nothing, of words that are no files", () => {
    expect(advice(["node", "rpo", "train", "--images", "photos", "dog"], ["dog"], TRAIN, () => false)).toBe("");
  });
});

test("a command that takes all of its words has no surplus, one of a fixed number names the first and counts the others", async () => {
  const message = async (argument: string, words: readonly string[]) => {
    const program = new Command();
    const command = program
      .command("x")
      .argument(argument)
      .allowExcessArguments()
      .action(() => undefined);
    await program.parseAsync(["node", "rpo", "x", ...words]);
    return surplusMessage(command, {});
  };
  expect(await message("[file...]", ["1", "2", "3"])).toBeUndefined();
  expect(await message("[file]", ["1"])).toBeUndefined();
  expect(await message("[file]", ["1", "no-2", "no-3"])).toBe("too many arguments: no-2 and 1 more");
});

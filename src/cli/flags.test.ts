import { Command } from "commander";
import { expect, test } from "vitest";
import { GENERATE } from "../settings/generate.ts";
import type { GivenSettings } from "../settings/parse.ts";
import { addCommand } from "./flags.ts";

/** What a command is given by these words. */
async function givenBy(...words: readonly string[]): Promise<GivenSettings | undefined> {
  const program = new Command();
  let given: GivenSettings | undefined;
  addCommand(program, {
    name: "generate",
    about: "",
    settings: GENERATE,
    control: {},
    run({ settings }) {
      given = settings;
      return Promise.resolve(0);
    },
  });
  await program.parseAsync(["node", "rpo", "generate", ...words]);
  return given;
}

test("a flag of one thing that is given twice is refused with both, unless they are the same", async () => {
  await expect(givenBy("--photo", "a.png", "--photo", "b.png")).rejects.toThrow(
    '--photo is given twice, "a.png" and "b.png"; it takes one',
  );
  await expect(givenBy("--adapter", "a", "--steps", "3", "--adapter", "b")).rejects.toThrow("--adapter is given twice");
  expect(await givenBy("--photo", "a.png", "--photo", "a.png")).toEqual({ photo: "a.png" });
});

test("of a number the last counts, as a script that adds its own expects, and a list takes all", async () => {
  expect(await givenBy("--steps", "3", "--steps", "4", "--lora", "a", "--lora", "b")).toEqual({
    steps: "4",
    lora: ["a", "b"],
  });
});

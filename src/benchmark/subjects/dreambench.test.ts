import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../system/errors.ts";
import { parsePromptsAndClasses, readDreamBench, spreadPrompts } from "./dreambench.ts";

/** A short file in the form of google/dreambooth's. */
const FILE = `Classes

subject_name,class
backpack_dog,backpack
dog6,dog
bear_plushie,stuffed animal

Prompts

Object Prompts

prompt_list = [
'a {0} {1} in the jungle'.format(unique_token, class_token),
'a cube shaped {0} {1}'.format(unique_token, class_token)
]

Live Subject Prompts

prompt_list = [
'a {0} {1} wearing a red hat'.format(unique_token, class_token)
]
`;

test("classes and both lists of prompts are read", () => {
  const { classes, prompts } = parsePromptsAndClasses(FILE, "file");
  expect([...classes]).toEqual([
    ["backpack_dog", "backpack"],
    ["dog6", "dog"],
    ["bear_plushie", "stuffed animal"],
  ]);
  expect(prompts).toEqual({
    object: ["a {token} {class} in the jungle", "a cube shaped {token} {class}"],
    live: ["a {token} {class} wearing a red hat"],
  });
});

test.each([
  ["another beginning", FILE.replace("Classes", "Subjects"), 'file, line 1: "Subjects": expected "Classes"'],
  [
    "a class without a word",
    FILE.replace("dog6,dog", "dog6"),
    'file, line 5: "dog6": expected a line "subject,class word"',
  ],
  ["a subject twice", FILE.replace("dog6,dog", "backpack_dog,dog"), "each subject once"],
  ["a prompt without the class", FILE.replace("{1} in the jungle", "in the jungle"), "file, line 13: "],
  ["a prompt that is not formatted", FILE.replace("jungle'.format(unique_token, class_token)", "jungle'"), "line 13"],
  ["no live prompts", FILE.slice(0, FILE.indexOf("Live")), 'file: the file ends: expected "Live Subject Prompts"'],
  ["a list without an end", FILE.slice(0, FILE.lastIndexOf("]")), 'the file ends: expected "]"'],
  ["something after the end", `${FILE}more\n`, '"more": expected the end of the file'],
  ["nothing", "", 'file: the file ends: expected "Classes"'],
])("%s is refused by its line", (_, text, message) => {
  expect(() => parsePromptsAndClasses(text, "file")).toThrow(UsageError);
  expect(() => parsePromptsAndClasses(text, "file")).toThrow(message);
});

describe("a data folder", () => {
  let data: string;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "rpo-dreambench-"));
    await writeFile(join(data, "prompts_and_classes.txt"), FILE);
    for (const name of ["dog6", "bear_plushie"]) {
      await mkdir(join(data, name));
      await writeFile(join(data, name, "00.jpg"), "a photo");
    }
  });
  afterEach(() => rm(data, { recursive: true }));

  test("gives the subjects that have a folder; a stuffed animal is an object", async () => {
    const subjects = await readDreamBench(data, undefined);
    expect(subjects.map(({ name, class: word, prompts }) => [name, word, prompts.length])).toEqual([
      ["dog6", "dog", 1],
      ["bear_plushie", "stuffed animal", 2],
    ]);
  });

  test.each([
    ["an unknown subject", ["dog6", "dragon"], "subjects dragon: no such subject in"],
    ["a subject whose folder is missing", ["backpack_dog"], "backpack_dog: no such folder"],
  ])("%s is refused", async (_, wanted, message) => {
    await expect(readDreamBench(data, wanted)).rejects.toThrow(message);
  });

  test("a subject without photos is refused by its folder", async () => {
    await rm(join(data, "dog6", "00.jpg"));
    await expect(readDreamBench(data, undefined)).rejects.toThrow(`${join(data, "dog6")}: no pictures in it`);
  });

  test("without its file is refused", async () => {
    await rm(join(data, "prompts_and_classes.txt"));
    await expect(readDreamBench(data, undefined)).rejects.toThrow("prompts_and_classes.txt: no such file");
  });
});

test("fewer prompts are spread over the list", () => {
  const prompts = Array.from({ length: 25 }, (_, i) => `${i}`);
  expect(spreadPrompts(prompts, 5)).toEqual(["0", "5", "10", "15", "20"]);
  expect(spreadPrompts(prompts, 99)).toEqual(prompts);
});

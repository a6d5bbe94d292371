import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { readConfigFile } from "../../settings/config-file.ts";
import type { GivenSettings } from "../../settings/parse.ts";
import { subjectNames, subjectsOf, type Concept } from "../../settings/subjects.ts";
import { conceptsNow, withConcepts } from "./concepts.ts";
import { parseTrain } from "./parse.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-concepts-"));
  for (const name of ["dog", "pot", "pots", "empty"]) await mkdir(join(folder, name));
  for (const name of ["dog/0.jpg", "pot/0.jpg", "pots/0.jpg"]) await writeFile(join(folder, name), "");
});

const dog = { images: "dog", class: "dog" };
const pot = { images: "pot", class: "teapot" };
const custom = { method: "custom" };

/** The dog in diffusers' words. */
const theirs = (more: object) => ({
  ...{ instance_prompt: "a <a> dog", class_prompt: "dog", instance_data_dir: "dog" },
  ...more,
});

async function fileOf(content: unknown): Promise<string> {
  const path = join(folder, "concepts.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}
const read = async (content: unknown, flags: GivenSettings = custom, config: GivenSettings = {}) =>
  withConcepts({ flags: { ...flags, concepts: await fileOf(content) }, config });

test("a list's folders are found beside its file, and each subject has a word of its own", async () => {
  const { flags, config } = await read([dog, { ...pot, classFolder: "pots", initializer: "jug" }]);
  const [first, second] = [join(folder, "dog"), join(folder, "pot")];
  expect(flags).toMatchObject({ images: first, class: "dog", token: "<new1>" });
  const classFolder = join(folder, "pots");
  expect(flags["concepts"]).toEqual([
    { images: first, class: "dog", token: "<new1>" },
    { images: second, class: "teapot", token: "<new2>", classFolder, initializer: "jug" },
  ]);
  const { concepts } = parseTrain({ flags: { ...flags, model: "m", reward: "r" }, config });
  const subjects = subjectsOf({ seed: 3, images: first, class: "dog", token: "<new1>", concepts });
  expect(subjects.map(({ seed, images, token }) => [seed, images, token])).toEqual([
    [3, first, "<new1>"],
    [3, second, "<new2>"],
  ]);
  expect(subjectNames(subjects)).toBe("<new1> dog and <new2> teapot");
});

test("the list of diffusers' and the authors' scripts is read, its prompts as the photos' own", async () => {
  const { flags } = await read([
    { instance_prompt: "photo of a <new1> dog", class_prompt: "dog", instance_data_dir: "dog", class_data_dir: "pots" },
    { instance_prompt: "a <pot> wooden pot", class_prompt: "wooden pot", instance_data_dir: join(folder, "pot") },
  ]);
  const classFolder = join(folder, "pots");
  expect(flags["concepts"]).toEqual([
    { images: join(folder, "dog"), class: "dog", token: "<new1>", plain: "photo of a {token} {class}", classFolder },
    { images: join(folder, "pot"), class: "wooden pot", token: "<pot>", plain: "a {token} {class}" },
  ]);
});

test("a config file may have the list itself, and a run's config.json is one", async () => {
  const list = [dog, pot].map((each) => ({ ...each, images: join(folder, each.images) }));
  const { flags, config } = await withConcepts({ flags: {}, config: { ...custom, concepts: list, steps: 5 } });
  expect(config).toEqual({ ...custom, steps: 5 });
  const saved = await fileOf({ ...custom, ...flags });
  const again = await withConcepts({ flags: {}, config: await readConfigFile(saved) });
  expect(again.flags).toEqual(flags);
});

test.each<[problem: string, content: unknown, message: string, flags?: GivenSettings]>([
  ["no list", dog, "expected a list of subjects"],
  ["no JSON", "[", "not valid JSON"],
  ["no subject", [], "no subject in it, expected two or more"],
  ["one subject", [dog], "one subject in it, expected two or more; one is trained with images and class"],
  ["too many", Array(17).fill(dog), "17 subjects, expected at most 16"],
  ["no object", [dog, "pot"], 'subject 2: expected an object such as {"images": "my-dog", "class": "dog"}, not "pot"'],
  ["no photos said", [dog, { class: "pot" }], "subject 2: images is missing"],
  ["no class said", [{ images: "dog" }, pot], "subject 1: class is missing"],
  ["an empty class", [dog, { ...pot, class: " " }], 'subject 2: class " ": expected a word or more'],
  ["no text", [dog, { ...pot, class: 5 }], "subject 2: class 5: expected text"],
  ["another field", [dog, { ...pot, word: "x" }], "subject 2: word: no such field (expected images, class, token,"],
  ["another kind", [dog, { ...pot, subject: "thing" }], 'subject 2: subject "thing": expected live or object'],
  [
    "one word for two",
    [
      { ...dog, token: "<a>" },
      { ...pot, token: "<A>" },
    ],
    "subject 2: token: <A> is that of subject 1",
  ],
  ["one word for two", [{ ...dog, token: "<new2>" }, pot], "subject 2: token: <new2> is that of subject 1 too"],
  ["a gone folder", [dog, { ...pot, images: "gone" }], "no such folder (expected a folder with pictures)"],
  ["an empty folder", [dog, { ...pot, images: "empty" }], "no pictures in it"],
  ["photos of two", [dog, { ...pot, images: "./dog" }], "the photos of subject 1 too; each needs its own"],
  ["a gone class folder", [{ ...dog, classFolder: "gone" }, pot], "(expected a folder with pictures of the class)"],
  ["a prompt without a word", [{ ...dog, plain: "a {class}" }, pot], 'plain "a {class}": it lacks {token}'],
  ["a wrong word", [{ ...dog, plain: "a {token} {class} {x}" }, pot], "there is no {x}, only {token} and {class}"],
  ["a fourth word", [dog, pot, pot, pot], "subject 4: initializer is missing, a rare word"],
  [
    "a word that another is called by",
    [{ ...dog, token: "teapot" }, pot],
    "subject 1: token: teapot stands in the class or the prompt of subject 2",
  ],
  ["a word in braces", [{ ...dog, token: "{class}" }, pot], "without braces and line breaks"],
  ["a word of two lines", [{ ...dog, token: "<a\nb>" }, pot], "without braces and line breaks"],
  ["another method", [dog, pot], "only method custom learns several subjects at once, not dpo", { method: "dpo" }],
  ["no method", [dog, pot], "only method custom learns several subjects at once, not rpo", {}],
  ["photos besides", [dog, pot], "images and concepts do not go together", { ...custom, images: "x" }],
  ["a class besides", [dog, pot], "class and concepts do not go together", { ...custom, class: "cat" }],
  ["a photo to hold out", [dog, pot], "holdOut and concepts do not go together", { ...custom, holdOut: "0.jpg" }],
  ["a word besides", [dog, pot], "initializer and concepts do not go together", { ...custom, initializer: "x" }],
  ["two vocabularies", [{ ...dog, class_prompt: "dog" }, pot], "subject 1: images does not go with diffusers'"],
  ["diffusers' own field", [theirs({ class_data_dir: "gone" }), pot], "subject 1: class_data_dir"],
  ["diffusers' photos", [theirs({ instance_data_dir: "empty" }), pot], "subject 1: instance_data_dir"],
  ["diffusers' class", [theirs({ class_prompt: "" }), pot], 'subject 1: class_prompt ""'],
  [
    "diffusers' prompt",
    [theirs({ instance_prompt: "a <a> dog {x}" }), pot],
    'subject 1: instance_prompt "a <a> dog {x}": there is no {x}',
  ],
  ["diffusers' word twice", [theirs({}), { ...pot, token: "<a>" }], "subject 2: token: <a> is that of subject 1"],
  [
    "a fourth word of diffusers'",
    [dog, pot, pot, theirs({ initializer: "" })],
    'subject 4: initializer "": expected a word or more',
  ],
  ["half an entry", [{ class_prompt: "dog" }, pot], "subject 1: expected instance_prompt, class_prompt"],
  [
    "no word in angle brackets",
    [{ instance_prompt: "photo of sks dog", class_prompt: "dog", instance_data_dir: "dog" }, pot],
    "expected one word in angle brackets, such as <new1>",
  ],
  [
    "a class that is a sentence",
    [{ instance_prompt: "a <a> dog", class_prompt: "a dog", instance_data_dir: "dog" }, pot],
    'expected "<a> a dog" in it, for class_prompt "a dog" to be the class word',
  ],
])("%s is refused in one line with the file", async (_, content, message, flags) => {
  const error = await read(content, flags).then(
    () => new Error("it was taken"),
    (error: unknown) => error as Error,
  );
  expect(error.message).toContain(message);
  expect(error.message).toContain("concepts");
  expect(error.message).not.toContain("\n");
});

test("a run goes on with its subjects, whose folders may have moved", async () => {
  const of = (images: string, more: Partial<Concept> = {}): Concept => ({
    ...{ images: join(folder, images), class: "dog", token: "<new1>" },
    ...more,
  });
  const second = of("pot", { class: "teapot", token: "<new2>" });
  const saved = [of("gone", { subject: "live" }), second];
  expect(await conceptsNow(undefined, saved)).toBe(saved);
  // its kind was found out of the class word
  expect(await conceptsNow([of("dog"), second], saved)).toEqual([of("dog", { subject: "live" }), second]);
  await expect(conceptsNow([of("dog", { class: "cat" }), second], saved)).rejects.toThrow(
    'subject 1: class is "cat", but the run has "dog"; leave it out, or start a new run',
  );
  await expect(conceptsNow([of("dog"), { ...second, images: join(folder, "pots") }], saved)).rejects.toThrow(
    "subject 2: ",
  );
  // the folder of class pictures need not be said again, and stays the run's where it is gone
  const withFolder = [{ ...second, classFolder: join(folder, "away") }, saved[0]];
  expect(await conceptsNow([second, of("dog")], withFolder)).toEqual([withFolder[0], of("dog", { subject: "live" })]);
  await expect(conceptsNow(saved, undefined)).rejects.toThrow("2 subjects, but the run has one");
});

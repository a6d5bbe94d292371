import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { withoutIdentifier } from "../training/identifier.ts";
import { readPictures } from "./pictures.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-pictures-"));
  for (const name of ["00-0.png", "01-0.png"]) await writeFile(join(folder, name), "a picture");
});
afterEach(() => rm(folder, { recursive: true }));

const put = (name: string, content: unknown) =>
  writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
const texts = async (options: { prompts?: string; class?: string } = {}) =>
  (await readPictures({ folder, token: "[V]", ...options })).map(({ text }) => text);

test("prompts come from the generator's own file, without the identifier", async () => {
  await put("prompts.json", {
    "00-0.png": { prompt: "a [V] dog on the beach", seed: 0 },
    "01-0.png": { prompt: "a red [V] dog", seed: 0 },
  });
  expect(await texts()).toEqual(["a dog on the beach", "a red dog"]);
});

test("a picture's name is found however a system composes its accents", async () => {
  await writeFile(join(folder, "Ka\u0308se.png"), "decomposed, as macOS writes it");
  await put("prompts.json", { "00-0.png": "a", "01-0.png": "b", "K\u00e4se.png": "cheese" });
  expect(await texts()).toEqual(["a", "b", "cheese"]);
});

test.each([
  ["a text file", "a {token} {class}\n\na red {token} {class}\n"],
  ["a JSON list", ["a {token} {class}", "a red {token} {class}"]],
])("%s gives prompts to pictures by their number", async (_, content) => {
  await put("list", content);
  expect(await texts({ prompts: join(folder, "list"), class: "dog" })).toEqual(["a dog", "a red dog"]);
});

test.each([
  ["no prompts", undefined, "prompts.json: no such file; give prompts FILE"],
  ["a prompt that is missing", { "00-0.png": "a dog" }, "01-0.png: "],
  ["broken JSON", '{"00-0.png": ', "not valid JSON"],
  ["another kind of JSON", { "00-0.png": 3 }, 'expected {"<file>": "<prompt>"}'],
  ["a class that nobody named", ["a {class}", "a {class}"], 'the prompt "a {class}" needs class'],
])("%s: a usage error that says so", async (_, content, message) => {
  if (content !== undefined) await put("prompts.json", content);
  const reading = readPictures({ folder, token: "[V]" });
  await expect(reading).rejects.toThrow(UsageError);
  await expect(reading).rejects.toThrow(message);
});

test("an identifier goes wherever it stands", () => {
  expect(withoutIdentifier("[V] dog and a [V]  dog", "[V]")).toBe("dog and a dog");
});

test("a file of prompts is read by its byte order mark, and what is no text is refused", async () => {
  await writeFile(join(folder, "p.txt"), Buffer.from("\uFEFFa {class}\r\na red {class}", "utf16le"));
  expect(await texts({ prompts: join(folder, "p.txt"), class: "dog" })).toEqual(["a dog", "a red dog"]);
  await writeFile(join(folder, "p.txt"), Buffer.from("a dog in a caf\xe9\ra dog", "latin1"));
  await expect(texts({ prompts: join(folder, "p.txt") })).rejects.toThrow('it reads "café"');
  await writeFile(join(folder, "p.txt"), "a dog\na dog in a caf\ufffd");
  await expect(texts({ prompts: join(folder, "p.txt") })).rejects.toThrow("of 01-0.png holds U+FFFD");
});

import { readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelError } from "../system/errors.ts";
import { loadBertTokenizer } from "./bert.ts";
import { loadClipTokenizer } from "./clip.ts";

const golden = join(import.meta.dirname, "../../tests/golden/text");
interface Case {
  folder: string;
  kind: "clip" | "bert";
  length: number;
  vocabularySize: number;
  pad: number;
  ids: number[][];
}
const { prompts, cases } = JSON.parse(readFileSync(join(golden, "cases.json"), "utf8")) as {
  prompts: string[];
  cases: Case[];
};

describe("tokenizers equal transformers", () => {
  for (const { folder, kind, length, vocabularySize, pad, ids } of cases)
    it(`on ${prompts.length} prompts, from ${folder}`, async () => {
      const load = kind === "clip" ? loadClipTokenizer : loadBertTokenizer;
      const tokenizer = await load(join(golden, folder));
      expect(tokenizer.length).toBe(length);
      expect(tokenizer.vocabularySize).toBe(vocabularySize);
      prompts.forEach((prompt, i) => {
        const kept = ids[i] ?? [];
        const padding = length - kept.length;
        const encoding = tokenizer.encode(prompt);
        expect([...encoding.ids], prompt).toEqual([...kept, ...Array<number>(padding).fill(pad)]);
        expect([...encoding.attentionMask], prompt).toEqual([
          ...Array<number>(kept.length).fill(1),
          ...Array<number>(padding).fill(0),
        ]);
      });
    });
});

describe("a tokenizer's folder", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rpo-text-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const copyOf = async (name: string, file: string, edit: (text: string) => string): Promise<string> => {
    const copy = await mkdtemp(join(folder, "case-"));
    await cp(join(golden, name), copy, { recursive: true });
    await writeFile(join(copy, file), edit(await readFile(join(copy, file), "utf8").catch(() => "")));
    return copy;
  };

  it("may write merges as strings, as tokenizers before 2024 did", async () => {
    const copy = await copyOf("clip-today", "tokenizer.json", (text) => {
      const json = JSON.parse(text) as { model: { merges: string[][] } };
      return JSON.stringify({ ...json, model: { ...json.model, merges: json.model.merges.map((m) => m.join(" ")) } });
    });
    const [one, two] = [await loadClipTokenizer(copy), await loadClipTokenizer(join(golden, "clip-today"))];
    expect(one.encode("a dog on the beach")).toEqual(two.encode("a dog on the beach"));
  });

  it("without a length limit gives the fallback length", async () => {
    const copy = await copyOf("clip-2022-sd1", "tokenizer_config.json", () => '{"model_max_length": 1e30}');
    expect((await loadClipTokenizer(copy, { fallbackLength: 32 })).encode("a dog").ids).toHaveLength(32);
  });

  it("refuses a text without end, on which the library would end the process", async () => {
    const tokenizer = await loadClipTokenizer(join(golden, "clip-today"));
    expect(tokenizer.encode("dog ".repeat(1250)).ids).toHaveLength(tokenizer.length);
    expect(() => tokenizer.encode("dog ".repeat(5000))).toThrow("20000 characters: expected at most 5000");
  });

  it("without a tokenizer is refused, naming the files looked for", async () => {
    await expect(loadClipTokenizer(join(folder, "none"))).rejects.toThrow(
      /none: .*tokenizer\.json, or vocab\.json and merges/,
    );
    await expect(loadBertTokenizer(join(folder, "none"))).rejects.toThrow(/none: .*tokenizer\.json, or vocab\.txt/);
  });

  const broken: [string, string, string, (text: string) => string, RegExp][] = [
    ["truncated JSON", "clip-today", "tokenizer.json", (text) => text.slice(0, 900), /tokenizer\.json: expected JSON/],
    [
      "a config that is a list",
      "clip-today",
      "tokenizer_config.json",
      () => "[]",
      /tokenizer_config\.json: .*expected object/,
    ],
    [
      "a token that is a number",
      "clip-today",
      "tokenizer_config.json",
      () => '{"pad_token": 3}',
      /config\.json: pad_token: /,
    ],
    ["a negative id", "clip-2022-sd1", "vocab.json", (text) => text.replace(/:0,/, ":-1,"), /vocab\.json: /],
    [
      "another kind of model",
      "bert-today",
      "tokenizer.json",
      (text) => text.replace(/"model":\{"type":"WordPiece"/, `"model":{"type":"Unigram"`),
      /model\.type: /,
    ],
    [
      "a merge of one token",
      "clip-2022-sd1",
      "merges.txt",
      (text) => `${text}\nabc`,
      /merges\.txt: .*two tokens.*"abc"/,
    ],
    [
      "a merge of unknown tokens",
      "clip-2022-sd1",
      "merges.txt",
      (text) => `${text}\nqq zz`,
      /merge qq \+ zz needs "qq"/,
    ],
    [
      "an unknown padding token",
      "clip-2022-sd1",
      "special_tokens_map.json",
      () => '{"pad_token": "<p>"}',
      /lacks "<p>"/,
    ],
    ["a vocabulary without [UNK]", "bert-2022", "vocab.txt", (text) => text.replace("[UNK]", "[U]"), /lacks "\[UNK\]"/],
  ];
  for (const [what, name, file, edit, message] of broken)
    it(`with ${what} is refused, naming the place`, async () => {
      const copy = await copyOf(name, file, edit);
      const loading = name.startsWith("clip") ? loadClipTokenizer(copy) : loadBertTokenizer(copy);
      const error = await loading.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ModelError);
      expect((error as ModelError).message).toMatch(message);
      expect((error as ModelError).message).toContain(copy);
    });
});

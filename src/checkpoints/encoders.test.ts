import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { openAlign, openClip, openDino } from "./encoders.ts";
import type { Message } from "../system/named-setting.ts";

const golden = (path: string) => fileURLToPath(new URL(`../../tests/golden/${path}`, import.meta.url));
const [align, clip, dino] = [
  "tiny/checkpoints/align-tiny",
  "parity/checkpoints/clip-tiny",
  "parity/checkpoints/dino-tiny",
].map(golden);
let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "encoder-"))));
afterEach(() => rm(folder, { recursive: true }));

async function withChange(source: string, file: string, change: Record<string, unknown>): Promise<string> {
  const copy = join(folder, "m");
  await cp(source, copy, { recursive: true });
  const json = JSON.parse(await readFile(join(copy, file), "utf8")) as Record<string, unknown>;
  await writeFile(join(copy, file), JSON.stringify({ ...json, ...change }));
  return copy;
}

test("each kind of folder opens without warnings: poolers and temperatures are known to be surplus", async () => {
  const warnings: Message[] = [];
  const warn = (line: Message) => warnings.push(line);
  expect((await openAlign(align, { warn })).side).toEqual({ height: 60, width: 60 });
  expect((await openClip(clip, { warn })).tokenizer.length).toBe(77);
  expect((await openDino(dino, { warn })).side).toEqual({ height: 32, width: 32 });
  expect(warnings).toEqual([]);
});

test("a folder of another kind is refused by its model_type", async () => {
  await expect(openAlign(clip)).rejects.toThrow(
    new ModelError(`${clip}/config.json: model_type "clip" is not supported, only "align"`),
  );
});

test("a picture size other than the model's is an error with both", async () => {
  const copy = await withChange(clip, "preprocessor_config.json", { crop_size: { height: 30, width: 30 } });
  await expect(openClip(copy)).rejects.toThrow(
    new ModelError(`${copy}/preprocessor_config.json makes pictures of 30 x 30 but the model's image_size is 32`),
  );
});

test("a tokenizer with more tokens than the embedding has rows is an error with both numbers", async () => {
  const config = JSON.parse(await readFile(join(align, "config.json"), "utf8")) as { text_config: object };
  const copy = await withChange(align, "config.json", { text_config: { ...config.text_config, vocab_size: 100 } });
  await expect(openAlign(copy)).rejects.toThrow(/text_config vocab_size is 100 but its tokenizer has \d+ tokens/);
});

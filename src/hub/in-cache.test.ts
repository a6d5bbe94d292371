import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { modelsInCache } from "./in-cache.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** A repository as Python's huggingface_hub lays it: contents in blobs, links to them in a snapshot. */
async function put(cache: string, repo: string, ref: string, files: Readonly<Record<string, string>>) {
  const folder = join(cache, `models--${repo.replace("/", "--")}`);
  for (const part of ["blobs", "refs"]) await mkdir(join(folder, part), { recursive: true });
  await writeFile(join(folder, "refs", ref), COMMIT);
  for (const [name, content] of Object.entries(files)) {
    const [blob, path] = [join(folder, "blobs", name.replace("/", "-")), join(folder, "snapshots", COMMIT, name)];
    await writeFile(blob, content);
    await mkdir(dirname(path), { recursive: true });
    await symlink(blob, path);
  }
  return folder;
}

test("the cache's models are listed with what they are, their own bytes, and whether all of them came", async () => {
  const cache = await mkdtemp(join(tmpdir(), "rpo-cache-"));
  const index = JSON.stringify({ _class_name: "StableDiffusionPipeline" });
  const config = JSON.stringify({ model_type: "align" });
  await put(cache, "owner/sd", "main", { "model_index.json": index, "unet/weights": "x".repeat(5000) });
  await put(cache, "kakaobrain/align-base", "main", { "config.json": config });
  const half = await put(cache, "owner/half", "fp16", { "model_index.json": index });
  await writeFile(join(half, "blobs", "abc.incomplete"), "x".repeat(70));
  await put(cache, "someone/language-model", "main", { "config.json": '{"model_type": "llama"}' });
  await mkdir(join(cache, "models--never--fetched", "refs"), { recursive: true });
  await mkdir(join(cache, "datasets--owner--photos", "snapshots", COMMIT), { recursive: true });
  await mkdir(join(cache, "models--..--..", "snapshots", COMMIT), { recursive: true });
  expect(await modelsInCache(cache)).toEqual([
    { name: "kakaobrain/align-base", kind: "reward", bytes: config.length + 40, isPartial: false },
    { name: "owner/half@fp16", kind: "model", bytes: index.length + 70 + 40, isPartial: true },
    { name: "owner/sd", kind: "model", bytes: index.length + 5000 + 40, isPartial: false },
    { name: "someone/language-model", kind: "other", bytes: 23 + 40, isPartial: false },
  ]);
  expect(await modelsInCache(join(cache, "nowhere"))).toEqual([]);
});

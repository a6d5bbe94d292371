import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { readHubSettings } from "./settings.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hub-settings-"));
  await writeFile(join(folder, "token"), "hf_file\n");
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  [{}, join(homedir(), ".cache/huggingface/hub")],
  [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
  [{ XDG_CACHE_HOME: "/x", HF_HOME: "/h" }, "/h/hub"],
  [{ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old" }, "/old"],
  [{ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/c" }, "/c"],
  [{ HF_HUB_CACHE: "~/c" }, join(homedir(), "c")],
  [{ HF_HUB_CACHE: "$SCRATCH/${USER}", SCRATCH: "/s", USER: "me" }, "/s/me"],
])("the cache by %j", async (env, cache) => {
  expect((await readHubSettings({ HF_TOKEN_PATH: "/nowhere", ...env })).cache).toBe(cache);
});

test.each<[string, Record<string, string>, string | undefined]>([
  ["the file", {}, "hf_file"],
  ["the variable, before the file", { HF_TOKEN: " hf_variable\n" }, "hf_variable"],
  ["its old name", { HUGGING_FACE_HUB_TOKEN: "hf_old" }, "hf_old"],
  ["the file again, for an empty variable", { HF_TOKEN: "" }, "hf_file"],
  ["nowhere, when the file is not to be sent", { HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }, undefined],
  ["nowhere", { HF_TOKEN_PATH: "/nowhere/token" }, undefined],
])("the token comes from %s", async (_name, env, token) => {
  expect((await readHubSettings({ HF_HOME: folder, ...env })).token).toBe(token);
});

test("offline by Python's words for yes", async () => {
  const offline = async (value: string) => (await readHubSettings({ HF_HOME: folder, HF_HUB_OFFLINE: value })).offline;
  for (const yes of ["1", "true", "YES", "on"]) expect(await offline(yes), yes).toBe(true);
  for (const no of ["0", "", "no", "false"]) expect(await offline(no), no).toBe(false);
});

test("what makes no sense is named, a token not shown", async () => {
  await expect(readHubSettings({ HF_ENDPOINT: "mirror" })).rejects.toThrow(
    new UsageError("HF_ENDPOINT mirror: expected an address such as https://huggingface.co"),
  );
  await expect(readHubSettings({ HF_TOKEN: "hf_a b" })).rejects.toThrow(
    new UsageError("HF_TOKEN: expected an access token, one word without spaces"),
  );
});

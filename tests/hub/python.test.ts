import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetchModels } from "../../src/hub/fetch-models.ts";
import { readHubSettings } from "../../src/hub/settings.ts";
import { commit, startFakeHub, TOKEN, type FakeHub } from "./fake-hub.ts";

/** A Python with huggingface_hub, to share a cache with: RPO_PYTHON=venv/bin/python npx vitest run tests/hub/python.test.ts */
const PYTHON = process.env["RPO_PYTHON"];

const WEIGHTS = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => (i * i * 31) >> 3));
const files = {
  "config.json": Buffer.from('{"model_type":"vit"}'),
  "preprocessor_config.json": Buffer.from("{}"),
  "model.safetensors": WEIGHTS,
  "README.md": Buffer.from("# read me"),
};
const NEEDED = '["config.json", "preprocessor_config.json", "model.safetensors"]';

let folder: string;
let hub: FakeHub;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hub-python-"));
  hub = await startFakeHub({
    "org/vit": { refs: { main: commit("a") }, commits: { [commit("a")]: files }, access: "private" },
  });
});
afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

const environment = () => ({ HF_HOME: folder, HF_ENDPOINT: hub.url, HF_TOKEN: TOKEN });

/** What a program prints, without its last line's end. */
async function python(program: string, extra: Record<string, string> = {}): Promise<string> {
  const env = { ...process.env, ...environment(), HF_HUB_DISABLE_PROGRESS_BARS: "1", ...extra };
  const { stdout } = await promisify(execFile)(PYTHON ?? "", ["-c", `from huggingface_hub import *\n${program}`], {
    env,
  });
  return stdout.trim();
}

async function ours(extra: Record<string, string> = {}): Promise<string> {
  const settings = await readHubSettings({ ...environment(), ...extra });
  const name = { repo: "org/vit", revision: "main" };
  const [path] = await fetchModels([{ name, kind: "image" }], { settings, say: () => undefined, firstPauseMs: 1 });
  return path;
}

const contents = () => hub.requests.filter(({ method, path }) => method === "GET" && !path.startsWith("/api/"));

describe.skipIf(PYTHON === undefined)("one cache with Python's huggingface_hub", () => {
  test("what Python fetched is taken as it is, online and offline", async () => {
    const theirs = await python(`print(snapshot_download("org/vit", allow_patterns=${NEEDED}))`);
    hub.requests.length = 0;
    expect(await ours({ HF_HUB_OFFLINE: "1" })).toBe(theirs);
    expect(hub.requests).toEqual([]);
    expect(await ours()).toBe(theirs);
    expect(contents()).toEqual([]);
    expect(await readFile(join(theirs, "model.safetensors"))).toEqual(WEIGHTS);
  });

  test("file by file, without a listing", async () => {
    await python(`for name in ${NEEDED}: hf_hub_download("org/vit", name)`);
    hub.requests.length = 0;
    const path = await ours({ HF_HUB_OFFLINE: "1" });
    expect(await ours()).toBe(path);
    expect(contents()).toEqual([]);
  });

  test("what we fetched Python takes as it is, online and offline", async () => {
    const path = await ours();
    hub.requests.length = 0;
    expect(await python(`print(snapshot_download("org/vit", allow_patterns=${NEEDED}))`, { HF_HUB_OFFLINE: "1" })).toBe(
      path,
    );
    expect(hub.requests).toEqual([]);
    expect(await python(`print(hf_hub_download("org/vit", "model.safetensors"))`)).toBe(
      join(path, "model.safetensors"),
    );
    expect(await python(`print(snapshot_download("org/vit", allow_patterns=${NEEDED}))`)).toBe(path);
    expect(contents()).toEqual([]);
  });

  test("and finds in order", async () => {
    await ours();
    const found = await python(`
info = scan_cache_dir()
assert not info.warnings, info.warnings
[repo] = info.repos
[revision] = repo.revisions
print(repo.repo_id, repo.size_on_disk, sorted(revision.refs), sorted(file.file_name for file in revision.files))`);
    expect(found).toBe(
      `org/vit ${WEIGHTS.byteLength + 22} ['main'] ['config.json', 'model.safetensors', 'preprocessor_config.json']`,
    );
  });
});

import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DownloadStopped, NotOnHub, Unreachable } from "../../src/hub/errors.ts";
import { fetchModels, type FetchOptions, type WantedModel } from "../../src/hub/fetch-models.ts";
import { parseHubName } from "../../src/hub/names.ts";
import { readHubSettings } from "../../src/hub/settings.ts";
import { ModelError, UsageError } from "../../src/system/errors.ts";
import {
  commit,
  entryOf,
  send,
  sha256,
  startFakeHub,
  TOKEN,
  type FakeHub,
  type FakeModel,
  type Fault,
} from "./fake-hub.ts";

const text = (content: string) => Buffer.from(content);
/** Bytes of no pattern that a shift would keep. */
const bytes = (length: number, seed = 1) =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * i * 31 + seed * i) >> 3));

const WEIGHTS = bytes(300_000);
const encoder: FakeModel = {
  refs: { main: commit("a"), old: commit("b") },
  commits: {
    [commit("a")]: {
      "config.json": text('{"model_type":"vit"}'),
      "preprocessor_config.json": text("{}"),
      "model.safetensors": WEIGHTS,
      "pytorch_model.bin": bytes(50, 9),
      "tf_model.h5": text("x"),
      "README.md": text("# read me"),
      "onnx/config.json": text("{}"),
    },
    [commit("b")]: { "config.json": text("{}"), "model.safetensors": bytes(1000, 5) },
  },
};

let folder: string;
let hub: FakeHub;
let said: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hub-"));
  said = [];
});
afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

const cache = () => join(folder, "hub");
const REPO = "models--org--vit";
const blobPath = (content: Buffer) => join(cache(), REPO, "blobs", sha256(content));
const partialPath = (content: Buffer) => `${blobPath(content)}.rpo.incomplete`;

async function start(models: Record<string, FakeModel> = { "org/vit": encoder }): Promise<void> {
  hub = await startFakeHub(models);
}

interface Extra extends Partial<Omit<FetchOptions, "settings">> {
  readonly env?: Record<string, string>;
  readonly wish?: Partial<WantedModel>;
}

/** Fetches a model from the fake hub into the test's cache. @returns its folder */
async function fetchOne(name = "org/vit", { env, wish, ...extra }: Extra = {}): Promise<string> {
  const settings = await readHubSettings({ HF_HOME: folder, HF_ENDPOINT: hub.url, ...env });
  const parsed = parseHubName(name);
  if (parsed === undefined) throw new Error(`${name} is no name`);
  const [fetched] = await fetchModels([{ name: parsed, kind: "image", ...wish }], {
    settings,
    say: (line) => said.push(line),
    firstPauseMs: 1,
    silenceMs: 2000,
    ...extra,
  });
  return fetched;
}

const isWeights = (path: string) => path.includes(sha256(WEIGHTS));
const requestsFor = (part: string) => hub.requests.filter(({ path }) => path.includes(part));
/** Sends so much of the weights, then hangs up. */
const cut =
  (length: number, times = 1): Fault =>
  ({ path, headers }, response, content) => {
    if (!isWeights(path) || content === undefined || times-- <= 0) return false;
    const from = Number(/bytes=(\d+)/.exec(headers.range ?? "")?.[1] ?? 0);
    const part = content.subarray(from);
    const range = { "content-range": `bytes ${from}-${content.byteLength - 1}/${content.byteLength}` };
    response.writeHead(from > 0 ? 206 : 200, { "content-length": part.byteLength, ...(from > 0 && range) });
    response.write(part.subarray(0, length), () => response.destroy());
    return true;
  };

describe("what is fetched", () => {
  test("what is needed and nothing else, in the layout that Hugging Face's tools share", async () => {
    await start();
    const progress: [number, number, string][] = [];
    const path = await fetchOne("org/vit", { onProgress: (...now) => progress.push(now) });
    expect(path).toBe(join(cache(), REPO, "snapshots", commit("a")));
    expect((await readdir(path)).sort()).toEqual(["config.json", "model.safetensors", "preprocessor_config.json"]);
    expect((await readFile(join(path, "model.safetensors"))).equals(WEIGHTS)).toBe(true);
    expect(await readlink(join(path, "model.safetensors"))).toBe(join("..", "..", "blobs", sha256(WEIGHTS)));
    expect(await readFile(join(cache(), REPO, "refs", "main"), "utf8")).toBe(commit("a"));
    expect(await readdir(join(cache(), REPO, "blobs"))).toHaveLength(3);
    expect(progress.at(-1)).toEqual([WEIGHTS.byteLength, WEIGHTS.byteLength, "model.safetensors"]);
    expect(said.join()).toMatch(/^org\/vit: fetching \d+(\.\d)? kB into .*models--org--vit$/);
  });

  test("nothing again: one request tells that the branch has not moved, and none is made for a commit", async () => {
    await start();
    const path = await fetchOne();
    hub.requests.length = 0;
    expect(await fetchOne()).toBe(path);
    expect(hub.requests.map((request) => request.path)).toEqual(["/api/models/org/vit/revision/main"]);
    hub.requests.length = 0;
    expect(await fetchOne(`org/vit@${commit("a")}`)).toBe(path);
    expect(hub.requests).toEqual([]);
  });

  test("another revision, which shares contents with the first", async () => {
    await start();
    const first = await fetchOne();
    const second = await fetchOne("org/vit@old");
    expect(second).not.toBe(first);
    expect(await readFile(join(cache(), REPO, "refs", "old"), "utf8")).toBe(commit("b"));
    expect((await readFile(join(second, "model.safetensors"))).equals(bytes(1000, 5))).toBe(true);
  });

  test("a listing of many pages", async () => {
    await start();
    hub.pageSize = 2;
    await fetchOne();
    expect(requestsFor("/tree/")).toHaveLength(4);
  });

  test("files that the listing names to get out of the folder are left alone", async () => {
    const evil = [
      "../../evil.json",
      "/etc/evil.json",
      "..\\evil.json",
      "C:\\evil.json",
      "a\0.json",
      "x/../../../evil.json",
      "",
    ];
    const entries = [
      ...evil.map((path) => entryOf(path, text("evil"))),
      { type: "symlink", path: "preprocessor_config.json", size: 4, oid: commit("c"), target: "/etc/passwd" },
      { type: "directory", path: "config.json", size: 0, oid: commit("c") },
    ];
    await start({ "org/vit": { ...encoder, entries } });
    const path = await fetchOne();
    expect((await readdir(folder)).sort()).toEqual(["hub"]);
    expect((await readdir(cache())).sort()).toEqual([".locks", REPO]);
    expect((await readdir(path)).sort()).toEqual(["config.json", "model.safetensors", "preprocessor_config.json"]);
    expect(await readFile(join(path, "preprocessor_config.json"), "utf8")).toBe("{}");
    const tree = await readFile(join(cache(), REPO, "trees", `${commit("a")}.json`), "utf8");
    expect(tree).not.toContain("evil");
  });

  test("hashes that are no hashes never become names of files", async () => {
    const bad = { type: "file", path: "preprocessor_config.json", size: 2, oid: "../../../evil" };
    const files = { "config.json": text("{}"), "model.safetensors": WEIGHTS };
    await start({ "org/vit": { refs: { main: commit("a") }, commits: { [commit("a")]: files }, entries: [bad] } });
    expect((await readdir(await fetchOne())).sort()).toEqual(["config.json", "model.safetensors"]);
  });

  test("an index of shards that points elsewhere is refused", async () => {
    const index = text(JSON.stringify({ weight_map: { a: "../../../../x.safetensors" } }));
    const files = { "config.json": text("{}"), "model.safetensors.index.json": index };
    await start({ "org/vit": { refs: { main: commit("a") }, commits: { [commit("a")]: files } } });
    await expect(fetchOne()).rejects.toThrow(/expected the name of a \.safetensors file in this folder/);
  });

  test("shards, by their index", async () => {
    const shard = (i: number) => `model-0000${i}-of-00002.safetensors`;
    const index = text(JSON.stringify({ weight_map: { a: shard(1), b: shard(2) } }));
    const files = {
      "config.json": text("{}"),
      "model.safetensors.index.json": index,
      [shard(1)]: bytes(10),
      [shard(2)]: bytes(20),
    };
    await start({ "org/vit": { refs: { main: commit("a") }, commits: { [commit("a")]: files } } });
    expect(await readdir(await fetchOne())).toHaveLength(4);
  });

  test("a configuration that will not do is known before any weights are fetched", async () => {
    await start();
    const check = (path: string) =>
      readFile(join(path, "config.json")).then(() => Promise.reject(new UsageError("not this one")));
    await expect(fetchOne("org/vit", { wish: { check } })).rejects.toThrow("not this one");
    expect(requestsFor(sha256(WEIGHTS))).toEqual([]);
  });
});

describe("a pipeline", () => {
  const files = (stem: string, variants: readonly string[]) =>
    Object.fromEntries(variants.map((variant) => [`${stem}${variant}.safetensors`, bytes(100, variant.length)]));
  const clip = ["transformers", "CLIPTextModel"];
  const pipeline: FakeModel = {
    refs: { main: commit("a") },
    commits: {
      [commit("a")]: {
        "model_index.json": text(
          JSON.stringify({
            _class_name: "StableDiffusionPipeline",
            unet: ["diffusers", "UNet2DConditionModel"],
            vae: ["diffusers", "AutoencoderKL"],
            text_encoder: clip,
            tokenizer: ["transformers", "CLIPTokenizer"],
            scheduler: ["diffusers", "PNDMScheduler"],
          }),
        ),
        "rpo.json": text('{"prompts":{"live":"live.json","object":"../no.json"}}'),
        "live.json": text("{}"),
        "scheduler/scheduler_config.json": text("{}"),
        "tokenizer/vocab.json": text("{}"),
        "tokenizer/merges.txt": text("#"),
        "unet/config.json": text("{}"),
        "vae/config.json": text("{}"),
        "text_encoder/config.json": text("{}"),
        "safety_checker/model.safetensors": bytes(9),
        "v1-5-pruned.safetensors": bytes(11),
        ...files("unet/diffusion_pytorch_model", ["", ".fp16", ".non_ema"]),
        ...files("vae/diffusion_pytorch_model", ["", ".fp16"]),
        ...files("text_encoder/model", ["", ".fp16"]),
      },
    },
  };
  const small = [
    ...["live.json", "model_index.json", "rpo.json", "scheduler/scheduler_config.json"],
    ...[
      "text_encoder/config.json",
      "tokenizer/merges.txt",
      "tokenizer/vocab.json",
      "unet/config.json",
      "vae/config.json",
    ],
  ];
  const filesIn = async (path: string) =>
    (await readdir(path, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isSymbolicLink())
      .map(({ parentPath, name }) => join(parentPath, name).slice(path.length + 1))
      .sort();

  test("is fetched by its parts, the plain weights alone", async () => {
    await start({ "org/vit": pipeline });
    const path = await fetchOne("org/vit", { wish: { kind: "diffusers" } });
    const weights = [
      "text_encoder/model.safetensors",
      "unet/diffusion_pytorch_model.safetensors",
      "vae/diffusion_pytorch_model.safetensors",
    ];
    expect(await filesIn(path)).toEqual([...small, ...weights].sort());
  });

  test("--variant fp16 takes those alone", async () => {
    await start({ "org/vit": pipeline });
    const path = await fetchOne("org/vit", { wish: { kind: "diffusers", variant: "fp16" } });
    const fetched = (await filesIn(path)).filter((name) => name.endsWith(".safetensors"));
    expect(fetched).toHaveLength(3);
    expect(fetched.every((name) => name.includes(".fp16."))).toBe(true);
  });

  test("a variant that is missing is named", async () => {
    await start({ "org/vit": pipeline });
    await expect(fetchOne("org/vit", { wish: { kind: "diffusers", variant: "bf16" } })).rejects.toThrow(
      "org/vit: expected unet/diffusion_pytorch_model.bf16.safetensors, found only",
    );
    expect(hub.requests.filter(({ server }) => server === "storage")).toEqual([]);
  });

  test("one that is not supported is refused before its parts are fetched", async () => {
    const other = { "model_index.json": text('{"_class_name":"FluxPipeline"}'), "unet/config.json": text("{}") };
    await start({ "org/vit": { refs: { main: commit("a") }, commits: { [commit("a")]: other } } });
    await expect(fetchOne("org/vit", { wish: { kind: "diffusers" } })).rejects.toThrow("FluxPipeline is not supported");
    expect(requestsFor("/resolve/")).toHaveLength(1);
  });

  test("what is no pipeline is told what it is", async () => {
    await start();
    const wish = { kind: "diffusers" } as const;
    await expect(fetchOne("org/vit", { wish })).rejects.toThrow("model.safetensors is a checkpoint in one file");
  });
});

describe("pickles", () => {
  const pickled = { "config.json": text('{"architectures":["AlignModel"]}'), "pytorch_model.bin": bytes(50, 9) };
  const converted = { ...pickled, "model.safetensors": WEIGHTS };
  const withPull = (author: string, files: Record<string, Buffer>): FakeModel => ({
    refs: { main: commit("a"), "refs/pr/7": commit("d") },
    commits: { [commit("a")]: pickled, [commit("d")]: files },
    pulls: [{ num: 7, author }],
  });

  test("the hub's converter is taken up on its pull request, online and offline", async () => {
    await start({ "org/vit": withPull("SFconvertbot", converted) });
    const path = await fetchOne();
    expect(path).toBe(join(cache(), REPO, "snapshots", commit("d")));
    expect(said.join()).toContain("org/vit holds only pickle files; refs/pr/7, where the hub's converter");
    expect(await readdir(path)).not.toContain("pytorch_model.bin");
    await hub.close();
    expect(await fetchOne("org/vit", { env: { HF_HUB_OFFLINE: "1" } })).toBe(path);
  });

  test.each([
    ["of somebody else", withPull("mallory", converted)],
    ["of other weights", withPull("SFconvertbot", { ...converted, "pytorch_model.bin": bytes(51, 9) })],
    ["without weights", withPull("SFconvertbot", pickled)],
    ["of none", { ...withPull("SFconvertbot", converted), pulls: [] }],
  ])("a pull request %s is not, and the command that converts is printed", async (_name, model) => {
    await start({ "org/vit": model });
    await expect(fetchOne()).rejects.toThrow(
      /found only pytorch_model\.bin, a pickle file, .*\n.*python -c "from transformers import AlignModel as M; M\.from_pretrained\('org\/vit'/,
    );
    expect(hub.requests.filter(({ server }) => server === "storage")).toEqual([]);
  });
});

describe("downloads", () => {
  test("a cut connection is taken up where it broke", async () => {
    await start();
    hub.faults = [cut(100_000, 4)];
    const path = await fetchOne();
    expect((await readFile(join(path, "model.safetensors"))).equals(WEIGHTS)).toBe(true);
    const ranges = requestsFor(sha256(WEIGHTS)).map(({ headers }) => headers.range);
    expect(ranges.length).toBeGreaterThan(1);
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ""))).toBe(true);
  });

  test("what came before a failure is kept under another name, and used by the next try", async () => {
    await start();
    hub.faults = [cut(0, 99)];
    await writeFile(await made(partialPath(WEIGHTS)), WEIGHTS.subarray(0, 200_000));
    await expect(fetchOne()).rejects.toThrow(/cut short again and again/);
    expect((await readdir(join(cache(), REPO, "blobs"))).filter((name) => !/^[0-9a-f]{40}$/.test(name))).toEqual([
      `${sha256(WEIGHTS)}.rpo.incomplete`,
    ]);
    hub.faults = [];
    hub.requests.length = 0;
    expect((await readFile(join(await fetchOne(), "model.safetensors"))).equals(WEIGHTS)).toBe(true);
    expect(requestsFor(sha256(WEIGHTS)).map(({ headers }) => headers.range)).toEqual(["bytes=200000-"]);
  });

  test("a server that knows no ranges is borne", async () => {
    await start();
    await writeFile(await made(partialPath(WEIGHTS)), WEIGHTS.subarray(0, 200_000));
    hub.faults = [
      ({ path }, response, content) => {
        if (!isWeights(path) || content === undefined) return false;
        response.writeHead(200, { "content-length": content.byteLength });
        response.end(content);
        return true;
      },
    ];
    expect((await readFile(join(await fetchOne(), "model.safetensors"))).equals(WEIGHTS)).toBe(true);
  });

  test("one that knows no ranges and is always cut does not go on for ever", async () => {
    await start();
    hub.faults = [
      ({ path }, response, content) => {
        if (!isWeights(path) || content === undefined) return false;
        response.writeHead(200, { "content-length": content.byteLength });
        response.write(content.subarray(0, 1000), () => response.destroy());
        return true;
      },
    ];
    await expect(fetchOne()).rejects.toThrow(/cut short again and again/);
    expect(requestsFor(sha256(WEIGHTS)).length).toBeLessThanOrEqual(7);
  });

  test("a wrong content is thrown away and named", async () => {
    await start();
    hub.faults = [
      ({ path }, response, content) => {
        if (!isWeights(path) || content === undefined) return false;
        const wrong = Buffer.from(content);
        wrong[12_345] ^= 1;
        response.end(wrong);
        return true;
      },
    ];
    await expect(fetchOne()).rejects.toThrow(
      new ModelError(
        "org/vit: model.safetensors: what was fetched has not the SHA-256 that the hub gives and was thrown away; try again",
      ),
    );
    expect(await readdir(join(cache(), REPO, "blobs"))).toHaveLength(2);
    expect(await readdir(join(cache(), REPO, "snapshots", commit("a")))).not.toContain("model.safetensors");
  });

  test("so is a small file whose git hash is wrong", async () => {
    await start();
    hub.faults = [
      ({ path }, response) => {
        if (!path.includes("/resolve/") || !path.endsWith("/config.json")) return false;
        response.end('{"model_type":"VIT"}');
        return true;
      },
    ];
    await expect(fetchOne()).rejects.toThrow(/config\.json: what was fetched has not the git hash/);
  });

  test("a partial file that is damaged is fetched anew", async () => {
    await start();
    await writeFile(await made(partialPath(WEIGHTS)), bytes(200_000, 77));
    expect((await readFile(join(await fetchOne(), "model.safetensors"))).equals(WEIGHTS)).toBe(true);
  });

  test("a server that sends more than it told of is stopped", async () => {
    await start();
    hub.faults = [
      ({ path }, response, content) => {
        if (!isWeights(path) || content === undefined) return false;
        response.writeHead(200);
        response.write(content);
        response.end("and more");
        return true;
      },
    ];
    await expect(fetchOne()).rejects.toThrow(/more than the 300000 bytes/);
  });

  test.each<[string, number, Record<string, string>, RegExp]>([
    ["of another length", 200, { "content-length": "8" }, /the hub sends 8 bytes, and told of 300000$/],
    [
      "from another place",
      206,
      { "content-range": "bytes 9-16/300000" },
      /sends bytes 9-16\/300000, expected bytes 200000-299999/,
    ],
    [
      "of another file",
      206,
      { "content-range": "bytes 200000-200007/200008" },
      /expected bytes 200000-299999\/300000$/,
    ],
    ["packed", 200, { "content-encoding": "gzip" }, /sends it as gzip, which was not asked for$/],
  ])("an answer %s is refused, and what has come is kept", async (_name, status, headers, message) => {
    await start();
    await writeFile(await made(partialPath(WEIGHTS)), WEIGHTS.subarray(0, 200_000));
    hub.faults = [
      ({ path }, response, content) =>
        isWeights(path) && content !== undefined && send(response, status, headers, "12345678"),
    ];
    await expect(fetchOne()).rejects.toThrow(message);
    expect((await stat(partialPath(WEIGHTS))).size).toBe(200_000);
  });

  test("a server that falls silent is left", async () => {
    await start();
    hub.faults = [({ path }) => isWeights(path)];
    await expect(fetchOne("org/vit", { silenceMs: 30 })).rejects.toThrow(Unreachable);
  });

  test("Ctrl-C leaves what has come, and the next try goes on there", async () => {
    await start();
    const controller = new AbortController();
    hub.faults = [
      ({ path }, response, content) => {
        if (!isWeights(path) || content === undefined) return false;
        response.writeHead(200, { "content-length": content.byteLength });
        response.write(content.subarray(0, 150_000));
        return true;
      },
    ];
    const onProgress = (done: number) => {
      if (done === 150_000) controller.abort();
    };
    await expect(fetchOne("org/vit", { signal: controller.signal, onProgress })).rejects.toThrow(DownloadStopped);
    expect((await stat(partialPath(WEIGHTS))).size).toBe(150_000);
    hub.faults = [];
    hub.requests.length = 0;
    await fetchOne();
    expect(requestsFor(sha256(WEIGHTS)).map(({ headers }) => headers.range)).toEqual(["bytes=150000-"]);
  });

  test("two at once fetch a file once, and both have it", async () => {
    await start();
    const [first, second] = await Promise.all([fetchOne(), fetchOne()]);
    expect(first).toBe(second);
    expect((await readFile(join(first, "model.safetensors"))).equals(WEIGHTS)).toBe(true);
    expect(requestsFor(sha256(WEIGHTS))).toHaveLength(1);
    expect(await readdir(join(cache(), ".locks", REPO))).toEqual([]);
  });

  test.each([
    ["here", `${spawnSync(process.execPath, ["-e", ""]).pid} ${hostname()}`, new Date()],
    ["elsewhere", "1 some-other-host", new Date(0)],
  ])("a lock whose owner died %s does not hold anybody up", async (_where, owner, since) => {
    await start();
    const lock = await made(join(cache(), ".locks", REPO, `${sha256(WEIGHTS)}.rpo.lock`));
    await writeFile(lock, owner);
    await utimes(lock, since, since);
    await fetchOne();
    expect(said.join()).not.toContain("waiting");
  });

  test("room is checked before the first of the weights is fetched", async () => {
    await start();
    const freeBytes = () => Promise.resolve(200_000);
    await expect(fetchOne("org/vit", { freeBytes })).rejects.toThrow(
      /\d+(\.\d)? kB are to be fetched and \d+(\.\d)? kB are free; make room, or set HF_HUB_CACHE/,
    );
    expect(requestsFor(sha256(WEIGHTS))).toEqual([]);
    await writeFile(await made(partialPath(WEIGHTS)), WEIGHTS.subarray(0, 150_000));
    await fetchOne("org/vit", { freeBytes });
  });

  test.skipIf(process.getuid?.() === 0)("a cache that cannot be written to is named", async () => {
    await start();
    await mkdir(cache());
    await chmod(cache(), 0o555);
    await expect(fetchOne()).rejects.toThrow(/cannot be written: permission denied/);
    await chmod(cache(), 0o755);
  });
});

describe("a damaged cache", () => {
  /** Writes zeros over the end of the weights, as a power cut would leave them. */
  async function zeroTail(): Promise<void> {
    const zeroed = Buffer.from(WEIGHTS).fill(0, WEIGHTS.byteLength - 4096);
    await writeFile(blobPath(WEIGHTS), zeroed);
  }

  test("is noticed though sizes are right, said, and fetched again", async () => {
    await start();
    await fetchOne();
    await zeroTail();
    hub.requests.length = 0;
    const path = await fetchOne();
    expect((await readFile(join(path, "model.safetensors"))).equals(WEIGHTS)).toBe(true);
    expect(said.join()).toContain("org/vit: model.safetensors in the cache is damaged, and is fetched again");
    expect(requestsFor(sha256(WEIGHTS))).toHaveLength(1);
  });

  test.each([
    ["with listings", false],
    ["without, by the names of its contents", true],
  ])("is an error offline, %s", async (_name, without) => {
    await start();
    await fetchOne();
    if (without) await rm(join(cache(), REPO, "trees"), { recursive: true });
    await zeroTail();
    await expect(fetchOne("org/vit", { env: { HF_HUB_OFFLINE: "1" } })).rejects.toThrow(
      /^org\/vit: model\.safetensors in the cache .* is damaged: .* delete it, .* HF_HUB_OFFLINE is set$/,
    );
  });

  test("what others fetched is hashed at its first use, and no more until its time of change is another", async () => {
    await start();
    await fetchOne();
    const offline = { env: { HF_HUB_OFFLINE: "1" } };
    const long = new Date(1e12);
    await rm(join(cache(), REPO, "rpo-checked.json"));
    await utimes(blobPath(WEIGHTS), long, long);
    await fetchOne("org/vit", offline);
    await zeroTail();
    await utimes(blobPath(WEIGHTS), long, long);
    await fetchOne("org/vit", offline);
    await utimes(blobPath(WEIGHTS), long, new Date());
    await expect(fetchOne("org/vit", offline)).rejects.toThrow("damaged");
  });
});

describe("the hub says no", () => {
  const always =
    (status: number, headers: Record<string, string> = {}): Fault =>
    (_request, response) =>
      send(response, status, headers);

  test.each<[string, string, RegExp]>([
    [
      "no such model",
      "org/nothing",
      /^127\.0\.0\.1:\d+ has no model org\/nothing; if it is private, set HF_TOKEN \(or write the token to .*token\)$/,
    ],
    ["no such revision", "org/vit@v9", /^org\/vit@v9: the hub has no such revision of this model$/],
  ])("%s", async (_name, name, message) => {
    await start();
    const failure = fetchOne(name);
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(NotOnHub);
  });

  test("a licence that is to be accepted is said with its page, with a token and without", async () => {
    await start({ "org/vit": { ...encoder, access: "gated" } });
    const page = `org/vit: its licence must be accepted first, at ${hub.url}/org/vit; then `;
    await expect(fetchOne()).rejects.toThrow(`${page}set HF_TOKEN`);
    await expect(fetchOne("org/vit", { env: { HF_TOKEN: TOKEN } })).rejects.toThrow(
      `${page}check the token of HF_TOKEN`,
    );
  });

  test("a token that is refused is named, not shown", async () => {
    await start();
    const failure = fetchOne("org/vit", { env: { HF_TOKEN: "hf_expired" } });
    await expect(failure).rejects.toThrow(/refuses the access token of HF_TOKEN; it may have expired$/);
    await expect(failure).rejects.not.toThrow(/hf_expired/);
  });

  test("a private model opens to a token from the file", async () => {
    await start({ "org/vit": { ...encoder, access: "private" } });
    await expect(fetchOne()).rejects.toThrow(NotOnHub);
    await writeFile(join(folder, "token"), `${TOKEN}\n`);
    await fetchOne();
  });

  test("the token goes to the hub alone, not where it redirects", async () => {
    await start();
    await fetchOne("org/vit", { env: { HF_TOKEN: TOKEN } });
    const tokens = (server: string) =>
      new Set(hub.requests.filter((each) => each.server === server).map(({ headers }) => headers.authorization));
    expect(tokens("hub")).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(tokens("storage")).toEqual(new Set([undefined]));
  });

  test("nor to another server that the listing goes on at", async () => {
    await start();
    hub.faults = [
      ({ path }, response) => {
        if (!path.includes("/tree/")) return false;
        return send(response, 200, { link: '<http://127.0.0.1:1/more>; rel="next"' }, "[]");
      },
    ];
    await expect(fetchOne("org/vit", { env: { HF_TOKEN: TOKEN } })).rejects.toThrow(
      /goes on at http:\/\/127\.0\.0\.1:1, which is another server/,
    );
  });

  test("429 waits as long as it is told", async () => {
    await start();
    let left = 1;
    hub.faults = [(_request, response) => left-- > 0 && send(response, 429, { "retry-after": "1" })];
    const begun = performance.now();
    await fetchOne();
    expect(performance.now() - begun).toBeGreaterThan(900);
  });

  test("but not for an hour", async () => {
    await start();
    hub.faults = [always(429, { "retry-after": "3600" })];
    await expect(fetchOne()).rejects.toThrow(
      /asks for a pause \(too many requests\); try again in 3600 s.*; org\/vit is not in the cache/,
    );
    expect(hub.requests).toHaveLength(1);
  });

  test("5xx is tried again, a few times", async () => {
    await start();
    let left = 3;
    hub.faults = [(_request, response) => left-- > 0 && send(response, 503, {})];
    await fetchOne();
    hub.faults = [always(500)];
    hub.requests.length = 0;
    await expect(fetchOne("org/vit@old")).rejects.toThrow(/answers 500; try again later/);
    expect(hub.requests).toHaveLength(5);
  });

  test("an address that is no hub's is said to be none", async () => {
    await start();
    hub.faults = [(_request, response) => send(response, 200, {}, "<html>")];
    await expect(fetchOne()).rejects.toThrow(/something else than JSON; is HF_ENDPOINT a hub's address\?/);
  });

  test("redirects without end have one", async () => {
    await start();
    hub.faults = [always(302, { location: "/" })];
    await expect(fetchOne()).rejects.toThrow(/redirects without end/);
  });
});

describe("without the hub", () => {
  const env = { HF_HUB_OFFLINE: "1" };

  test("offline mode makes no request and takes what is there", async () => {
    await start();
    const path = await fetchOne();
    hub.requests.length = 0;
    expect(await fetchOne("org/vit", { env })).toBe(path);
    expect(hub.requests).toEqual([]);
  });

  test("and says what is missing", async () => {
    await start();
    await expect(fetchOne("org/vit", { env })).rejects.toThrow(
      /^org\/vit is not in the cache .*, and HF_HUB_OFFLINE is set$/,
    );
    const path = await fetchOne();
    await rm(join(path, "model.safetensors"));
    await expect(fetchOne("org/vit", { env })).rejects.toThrow(
      /the cache .* lacks model\.safetensors, and HF_HUB_OFFLINE is set$/,
    );
  });

  test("a cache without listings will do", async () => {
    await start();
    const path = await fetchOne();
    await rm(join(cache(), REPO, "trees"), { recursive: true });
    expect(await fetchOne("org/vit", { env })).toBe(path);
  });

  test("a hub that cannot be reached is no trouble when all is in the cache", async () => {
    await start();
    const path = await fetchOne();
    await hub.close();
    said.length = 0;
    expect(await fetchOne()).toBe(path);
    expect(said.join()).toMatch(/cannot be reached: ECONNREFUSED; org\/vit is taken from the cache as it is/);
    await expect(fetchOne("org/vit@old")).rejects.toThrow(
      /cannot be reached: ECONNREFUSED; org\/vit@old is not in the cache/,
    );
  });
});

/** The path, its folder made. */
async function made(path: string): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  return path;
}

import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePhotos, MODEL, REWARD, root, rpo, temporaryFolder } from "../run/cli.ts";
import { commit, sha256, startFakeHub, TOKEN, type FakeHub } from "./fake-hub.ts";

const CLIP = join(root, "tests/golden/parity/checkpoints/clip-tiny");

let hub: FakeHub;
let folder: string;
let photos: string;
let env: Record<string, string>;
beforeAll(async () => {
  const model = async (source: string, letter: string) => ({
    refs: { main: commit(letter) },
    commits: { [commit(letter)]: await filesOf(source) },
  });
  hub = await startFakeHub({
    "org/sd": await model(MODEL, "a"),
    "kakaobrain/align-base": await model(REWARD, "b"),
    "org/clip": await model(CLIP, "d"),
    "org/gated": { ...(await model(MODEL, "e")), access: "gated" },
  });
  folder = await temporaryFolder();
  photos = await makePhotos(2);
  env = { HF_HOME: join(folder, "home"), HF_ENDPOINT: hub.url, HF_HUB_OFFLINE: "" };
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

const draw = (output: string) => [
  "generate",
  "--prompt",
  "x",
  "-n",
  "1",
  "--steps",
  "1",
  "--threads",
  "1",
  "--output",
  join(folder, output),
];
const generate = (name: string, output: string) => [...draw(output), "--model", name];
const train = [
  "train",
  "--class",
  "dog",
  "--steps",
  "1",
  "--validation-images",
  "1",
  "--validation-steps",
  "1",
  "--threads",
  "1",
  "--yes",
];
const storage = () => hub.requests.filter(({ server }) => server === "storage");

test("a run starts from models on the hub, names them, and finds them again when the cache is gone", async () => {
  const run = join(folder, "run");
  const args = [...train, "--negatives", "1", "--images", photos, "--model", "org/sd", "--output", run];
  const trained = await rpo(args, { env });
  expect(trained.stderr).toMatch(/org\/sd: fetching .* into .*\n.*kakaobrain\/align-base: fetching/);
  expect(trained.stderr).toContain("megabytes");
  expect(trained.code, trained.stderr).toBe(0);
  const { model, reward } = JSON.parse(await readFile(join(run, "config.json"), "utf8")) as Record<string, string>;
  expect(model).toBe(join(folder, "home/hub/models--org--sd/snapshots", commit("a")));
  expect(reward).toBe(join(folder, "home/hub/models--kakaobrain--align-base/snapshots", commit("b")));
  const [checkpoint] = await readdir(join(run, "checkpoints"));
  const adapter = await readFile(join(run, "checkpoints", checkpoint, "adapter_config.json"), "utf8");
  expect(JSON.parse(adapter)).toMatchObject({ base_model_name_or_path: "org/sd" });

  const resumed = await rpo(["train", "--resume", "--output", run, "--model", "org/sd"], {
    env: { ...env, HF_HUB_OFFLINE: "1" },
  });
  expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringContaining("is finished already")]);

  await rm(join(folder, "home/hub/models--org--sd"), { recursive: true });
  hub.requests.length = 0;
  const drawn = await rpo([...draw("drawn"), "--adapter", run], { env });
  expect(drawn.code, drawn.stderr).toBe(0);
  expect(storage()).toHaveLength(3);
  expect(await readFile(join(model, "model_index.json"))).toEqual(await readFile(join(MODEL, "model_index.json")));
}, 120_000);

test("a run that was stopped goes on with its models in another cache", async () => {
  const run = join(folder, "moved");
  const models = ["--model", "org/sd", "--images", photos, "--negatives", "1"];
  const before = { ...env, HF_HOME: join(folder, "before") };
  const args = [...train, "--steps", "3", "--validate-every", "1", ...models, "--output", run];
  const stopped = await rpo(args, { env: before, interruptWhen: /training/ });
  expect(stopped.code, stopped.stderr).toBe(130);
  await rm(join(folder, "before"), { recursive: true });
  const after = { ...env, HF_HOME: join(folder, "after") };
  const resumed = await rpo(["train", "--resume", "--yes", "--output", run], { env: after });
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(await readdir(join(folder, "after/hub"))).toContain("models--org--sd");
}, 120_000);

test("two processes at once fetch each file once", async () => {
  const shared = { ...env, HF_HOME: join(folder, "shared") };
  hub.requests.length = 0;
  const outcomes = await Promise.all([
    rpo(generate("org/sd", "one"), { env: shared }),
    rpo(generate("org/sd", "two"), { env: shared }),
  ]);
  for (const { code, stderr } of outcomes) expect(code, stderr).toBe(0);
  expect(storage()).toHaveLength(3);
  expect(await readFile(join(folder, "one/0.png"))).toEqual(await readFile(join(folder, "two/0.png")));
});

test("Ctrl-C leaves at once with 130, and the same command goes on", async () => {
  const home = { ...env, HF_HOME: join(folder, "stopped") };
  const unet = await readFile(join(MODEL, "unet/diffusion_pytorch_model.safetensors"));
  hub.faults = [
    ({ path }, response, content) => {
      if (!path.includes(sha256(unet)) || content === undefined) return false;
      response.writeHead(200, { "content-length": content.byteLength });
      response.write(content.subarray(0, 100_000));
      return true;
    },
  ];
  const stopped = await rpo(generate("org/sd", "stopped-drawn"), { env: home, interruptWhen: /megabytes {2}[01]/ });
  hub.faults = [];
  expect(stopped.stderr).toContain("stopped; the same command goes on with what has been fetched");
  expect(stopped.code).toBe(130);
  const partial = join(folder, "stopped/hub/models--org--sd/blobs", `${sha256(unet)}.rpo.incomplete`);
  const { size } = await stat(partial);
  hub.requests.length = 0;
  expect((await rpo(generate("org/sd", "stopped-drawn"), { env: home })).code).toBe(0);
  const { headers } = storage().find(({ path }) => path.includes(sha256(unet))) ?? {};
  expect(headers?.range).toBe(size > 0 ? `bytes=${size}-` : undefined);
});

test("evaluate takes encoders from the hub, once the rest is in order", async () => {
  const judged = join(folder, "judged");
  await cp(photos, judged, { recursive: true });
  const args = [
    "evaluate",
    "--references",
    photos,
    "--images",
    judged,
    "--clip",
    "org/clip",
    "--json",
    "--threads",
    "1",
  ];
  hub.requests.length = 0;
  const early = await rpo(args, { env });
  expect([early.code, early.stderr]).toEqual([2, expect.stringContaining("prompts.json: no such file")]);
  expect(hub.requests).toEqual([]);
  const prompts = Object.fromEntries((await readdir(judged)).map((file) => [file, "a dog"]));
  await writeFile(join(judged, "prompts.json"), JSON.stringify(prompts));
  const { code, stdout, stderr } = await rpo(args, { env });
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('"clipI"');
});

test("a folder stays a folder, whatever the hub has", async () => {
  const here = join(folder, "here");
  await mkdir(here);
  await cp(MODEL, join(here, "org/sd"), { recursive: true });
  hub.requests.length = 0;
  const name = relative(process.cwd(), join(here, "org/sd"));
  const { code } = await rpo(generate(name, "from-folder"), { env });
  expect([code, hub.requests.length]).toEqual([0, 0]);
});

test("--variant takes those weights of a folder, too, whatever the plain ones are", async () => {
  const both = join(folder, "both");
  for (const [path, content] of Object.entries(await filesOf(MODEL))) {
    await mkdir(dirname(join(both, path)), { recursive: true });
    await writeFile(join(both, path), path.endsWith(".safetensors") ? "damaged" : content);
    if (path.endsWith(".safetensors"))
      await writeFile(join(both, path.replace(".safetensors", ".fp16.safetensors")), content);
  }
  expect((await rpo([...generate(both, "variant"), "--variant", "fp16"])).code).toBe(0);
  expect((await rpo(generate(both, "plain"))).code).toBe(2);
});

test.each<[string, string[], RegExp]>([
  [
    "a name that is neither a folder nor on the hub",
    ["--model", "org/sdd"],
    /^rpo: --model org\/sdd: no such folder, and 127\.0\.0\.1:\d+ has no model org\/sdd; if it is private, set HF_TOKEN/,
  ],
  [
    "a gated model",
    ["--model", "org/gated"],
    /^rpo: --model org\/gated: its licence must be accepted first, at http:\S+\/org\/gated; then set HF_TOKEN/,
  ],
  [
    "an encoder for a pipeline",
    ["--model", "org/clip"],
    /^rpo: --model org\/clip: no model_index\.json in it, expected a diffusers pipeline/,
  ],
  [
    "a variant that is not there",
    ["--model", "org/sd@main", "--variant", "fp16"],
    /^rpo: --model org\/sd@main: org\/sd: expected unet\/\S+\.fp16\.safetensors/,
  ],
])("%s exits 2 in a line, before weights are fetched", async (_name, flags, message) => {
  hub.requests.length = 0;
  const args = [...train, "--images", photos, ...flags, "--output", join(folder, "never")];
  const { code, stderr, stdout } = await rpo(args, { env });
  expect(stderr).toMatch(message);
  expect([code, stdout, stderr.trim().split("\n").length]).toEqual([2, "", 1]);
  expect(storage()).toEqual([]);
});

test("an encoder of another kind is refused before its weights are fetched", async () => {
  hub.requests.length = 0;
  const args = [
    ...train,
    "--images",
    photos,
    "--model",
    "org/sd",
    "--reward",
    "org/clip",
    "--output",
    join(folder, "clip"),
  ];
  const { code, stderr } = await rpo(args, { env: { ...env, HF_HOME: join(folder, "other") } });
  expect([code, stderr]).toEqual([2, expect.stringMatching(/config\.json: .*align/)]);
  expect(storage()).toEqual([]);
});

test("what is wrong besides is said before the hub is asked, and the token never", async () => {
  hub.requests.length = 0;
  const secret = { ...env, HF_TOKEN: TOKEN };
  const missing = await rpo([...train, "--images", "nowhere", "--model", "org/sd"], { env: secret });
  expect(missing.stderr).toContain("nowhere: no such folder");
  expect(hub.requests).toEqual([]);
  const refused = await rpo(generate("org/none", "none"), { env: secret });
  expect(refused.stderr).toContain("org/none");
  expect(refused.stderr).not.toContain(TOKEN);
});

test("a proxy is gone through where the environment names one", async () => {
  const targets: string[] = [];
  const proxy = createServer().on("connect", (request, socket) => {
    targets.push(request.url ?? "");
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    for (const each of [socket, target]) each.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const { code } = await rpo(generate("org/none", "none"), { env: { ...env, http_proxy: address, no_proxy: "" } });
  proxy.closeAllConnections();
  proxy.close();
  expect([code, targets]).toEqual([2, [new URL(hub.url).host]]);
});

/** A folder's files by their paths. */
async function filesOf(source: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[relative(source, path)] = await readFile(path);
  }
  return files;
}

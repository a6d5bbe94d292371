// Makes the folders that later versions must be able to read: node tests/frozen/make.mjs NAME, in a built checkout of the version to freeze.
// Runs and a benchmark of the tiny random checkpoint and of the miniature; what is this machine's becomes {ROOT}, {PACKAGE} and {HOST}.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
const name = process.argv[2];
if (name === undefined) throw new Error("usage: node tests/frozen/make.mjs NAME");
const target = join(PACKAGE, "tests", "frozen", name);
const root = await mkdtemp(join(tmpdir(), "rpo-frozen-"));

/** Runs the command line; sends `signal` after so many lines of stdout. */
async function rpo(args, { signal, afterLines = 0 } = {}) {
  const child = spawn(process.execPath, [join(PACKAGE, "dist/cli/main.js"), ...args], {
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let lines = 0;
  child.stdout.on("data", (chunk) => {
    lines += chunk.toString().split("\n").length - 1;
    if (signal === undefined || lines < afterLines) return;
    child.kill(signal);
    signal = undefined;
  });
  const [code] = await once(child, "close");
  return code;
}

async function expectCode(expected, code) {
  if ((await code) !== expected) throw new Error(`expected exit code ${expected}, got ${await code}`);
}

const photos = join(root, "photos");
await mkdir(photos);
for (let i = 0; i < 3; i++) {
  const spot = Buffer.from(`<svg width="40" height="48"><circle cx="20" cy="${16 + 6 * i}" r="12" fill="#c82"/></svg>`);
  await sharp({
    create: { width: 40, height: 48, channels: 3, background: { r: 60 * i + 20, g: 200 - 50 * i, b: 90 } },
  })
    .composite([{ input: spot }])
    .png()
    .toFile(join(photos, `${i}.png`));
}
const prompts = join(root, "prompts.txt");
await writeFile(prompts, "a {token} {class} on the Moon\na green {token} {class}\n");

const checkpoints = join(PACKAGE, "tests/golden/tiny/checkpoints");
const tiny = ["--model", join(checkpoints, "sd15-tiny"), "--reward", join(checkpoints, "align-tiny"), "--lr", "1e-3"];
const run = (folder, more) => [
  ...[
    "train",
    "--images",
    photos,
    "--class",
    "dog",
    "--yes",
    "--json",
    "--threads",
    "1",
    "--output",
    join(root, folder),
  ],
  ...["--prompts", prompts, "--steps", "6", "--validate-every", "2", "--validation-images", "1"],
  ...["--validation-steps", "2", "--negatives", "1", "--no-early-stopping", ...more],
];
const lora = [...tiny, "--rank", "2", "--lora-alpha", "2"];
const full = [...tiny, "--adapter", "full"];
const resume = (folder) => rpo(["train", "--resume", "--yes", "--json", "--output", join(root, folder)]);

await expectCode(0, rpo(run("lora", [...lora, "--log", "tensorboard"])));
await expectCode(0, rpo(run("full", full)));
await expectCode(130, rpo(run("full-interrupted", full), { signal: "SIGINT", afterLines: 8 }));
// one that Ctrl-C stopped and one that was killed, in the middle
await expectCode(130, rpo(run("interrupted", lora), { signal: "SIGINT", afterLines: 12 }));
await expectCode(null, rpo(run("killed", lora), { signal: "SIGKILL", afterLines: 12 }));
await cp(join(root, "interrupted"), join(root, "resumed"), { recursive: true });
const config = join(root, "resumed", "config.json");
await writeFile(config, (await readFile(config, "utf8")).replaceAll("/interrupted", "/resumed"));
await expectCode(0, resume("resumed"));
await expectCode(0, rpo(["select", join(root, "resumed"), "--lambda", "0.2"]));
await expectCode(0, rpo(run("miniature", ["--model", "tiny", "--adapter", "lora", "--rank", "2"])));
const settings = join(root, "bench.json");
await writeFile(
  settings,
  JSON.stringify({ rank: 2, loraAlpha: 2, validationImages: 1, validationSteps: 4, negatives: 1 }),
);
await expectCode(
  0,
  rpo([
    ...["bench", "tinybench", "--output", join(root, "bench"), "--judges", "tiny", "--subjects", "dog", "--steps", "4"],
    ...[
      "--methods",
      "references,base,l-sim,rpo",
      "--prompts-per-subject",
      "2",
      "--pictures",
      "1",
      "--drawing-steps",
      "2",
    ],
    ...["--adapter", "lora", "--threads", "1", "--config", settings],
  ]),
);
await expectCode(0, rpo(["bench", "report", join(root, "bench")]));

// The tests put their own paths in place again; a full run's finished state is large and of no more use.
for (const file of await readdir(root, { recursive: true, withFileTypes: true })) {
  if (!file.isFile() || !/\.(json|jsonl)$/.test(file.name)) continue;
  const path = join(file.parentPath, file.name);
  const text = await readFile(path, "utf8");
  await writeFile(
    path,
    text
      .replaceAll(root, "{ROOT}")
      .replaceAll(PACKAGE, "{PACKAGE}")
      .replaceAll(`"host":"${hostname()}"`, '"host":"{HOST}"'),
  );
}
for (const file of ["state.safetensors", "state.json"]) await rm(join(root, "full", file));
await rm(settings);
for (const file of await readdir(join(root, "bench"), { recursive: true, withFileTypes: true }))
  if (/\.html$/.test(file.name)) await rm(join(file.parentPath, file.name));
await rm(target, { recursive: true, force: true });
await cp(root, target, { recursive: true });
await rm(root, { recursive: true });

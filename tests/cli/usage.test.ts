import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { makePhotos, MODEL, REWARD, root, rpo, temporaryFolder } from "../run/cli.ts";

let photos = "";
let folder = "";
beforeAll(async () => {
  photos = await makePhotos(1);
  folder = await temporaryFolder();
  await writeFile(join(folder, "file"), "x");
  await mkdir(join(folder, "run"));
  await writeFile(join(folder, "run/config.json"), "{");
  await writeFile(join(folder, "one.safetensors"), "x");
  await mkdir(join(folder, "bench"));
  await writeFile(join(folder, "bench/status.json"), '{"time": "now"}');
});

/** Fills in the names of this test's folders. */
const fill = (args: readonly string[]) =>
  args.map((arg) =>
    arg.replace("FOLDER", folder).replace("PHOTOS", photos).replace("MODEL", MODEL).replace("REWARD", REWARD),
  );
const train = ["train", "--model", "MODEL", "--reward", "REWARD", "--images", "PHOTOS", "--class", "dog"];
const generate = ["generate", "--model", "MODEL"];

describe("wrong usage exits 2 with a line or two, and writes nothing", () => {
  const cases: [name: string, args: string[], message: RegExp][] = [
    ["no command", [], /Usage: rpo/],
    ["an unknown command", ["trian"], /unknown command 'trian'\n\(Did you mean train\?\)/],
    ["an unknown flag", [...train, "--lamda", "1"], /Did you mean --lambda\?/],
    ["a flag without its value", [...train, "--steps"], /'--steps <n>' argument missing/],
    ["an argument too many", [...train, "more"], /too many arguments/],
    ["one of a command's command", ["bench", "tinybench", "more"], /too many.*\n\(see rpo bench tinybench --help\)/],
    ["a required flag missing", ["train", "--model", "MODEL"], /--images is missing/],
    [
      "the default reward, which is not in the cache",
      train.filter((word) => !/reward/i.test(word)),
      /--reward kakaobrain\/align-base: no such folder, and kakaobrain\/align-base is not in the cache .*, and HF_HUB_OFFLINE is set/,
    ],
    ["the only photo held out", [...train, "--hold-out", "0.jpg"], /--hold-out 0\.jpg: it is the only photo/],
    [
      "no such photo to hold out",
      [...train, "--hold-out", "7.jpg"],
      /--hold-out 7\.jpg: no such photo \(there are 0\.jpg\)/,
    ],
    ["a log of another kind", [...train, "--log", "wandb"], /--log "wandb": expected tensorboard/],
    ["an output that is a file", [...train, "--output", "FOLDER/file"], /--output .*file: not a folder/],
    [
      "an output below a file",
      [...generate, "--prompt", "x", "--output", "FOLDER/file/a"],
      /--output .*: not a folder/,
    ],
    ["an empty prompt", [...generate, "--prompt", "", "--output", "FOLDER/new"], /--prompt "": expected a word/],
    ["no prompt", [...generate, "--output", "FOLDER/new"], /--prompt is missing/],
    [
      "what is no folder and no name on the hub",
      [...train, "--model", "a/b/c"],
      /--model .*a\/b\/c: no such folder \(expected a diffusers folder or a .safetensors file, or owner\/name on the hub\)/,
    ],
    [
      "a name that is neither a folder nor in the cache",
      [...train, "--model", "org/name"],
      /--model org\/name: no such folder, and org\/name is not in the cache .*, and HF_HUB_OFFLINE is set/,
    ],
    [
      "a revision that cannot be one",
      [...generate, "--prompt", "x", "--output", "FOLDER/new", "--model", "org/name@../x"],
      /--model org\/name@..\/x: expected a branch, a tag, refs\/pr\/N or a commit after the @/,
    ],
    [
      "a variant that cannot be one",
      [...train, "--variant", "../x"],
      /--variant "..\/x": expected a word such as fp16/,
    ],
    [
      "a variant of a model in one file",
      ["train", "--model", "FOLDER/one.safetensors", "--images", "PHOTOS", "--class", "dog", "--variant", "fp16"],
      /--variant fp16: .*one\.safetensors is one file and has no variants; leave it out/,
    ],
    ["the status of no benchmark", ["bench", "status", "FOLDER/new"], /no benchmark has begun here/],
    [
      "the status of a damaged benchmark",
      ["bench", "status", "FOLDER/bench"],
      /bench\/status\.json: rows: expected object, received undefined/,
    ],
    ["--resume without a folder", ["train", "--resume"], /--resume needs --output/],
    ["--resume of a damaged run", ["train", "--resume", "--output", "FOLDER/run"], /config\.json: expected JSON/],
    ["a config that is missing", [...train, "--config", "FOLDER/none"], /--config .*none: no such file/],
    [
      "select with a lambda that is none",
      ["select", "FOLDER/run", "--lambda", "2"],
      /--lambda "2": expected a number from 0 to 1/,
    ],
    ["a report of no run", ["report", "FOLDER/new"], /\/new: no such folder/],
    ["a report of a damaged run", ["report", "FOLDER/run"], /config\.json: expected JSON/],
    [
      "a report into no folder",
      ["report", "FOLDER/run", "--output", "FOLDER/new/a.html"],
      /--output .*new: no such folder/,
    ],
    ["select without a run", ["select", "FOLDER", "--lambda", "0.3"], /no run here/],
  ];
  test.each(cases)("%s", async (_name, args, message) => {
    const before = await readdir(folder, { recursive: true });
    const { code, stdout, stderr } = await rpo(fill(args));
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    if (args.length > 0) expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(3);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });
});

test("help of every command shows examples, on stdout", async () => {
  for (const command of ["train", "generate", "select", "export", "report", "demo"]) {
    const { code, stdout, stderr } = await rpo([command, "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`\n  rpo ${command} `);
  }
});

test("the help of train says what the embedded model's own defaults are", async () => {
  const { train } = JSON.parse(await readFile(join(root, "models/tiny/sd/rpo.json"), "utf8")) as {
    train: { adapter: string; steps: number; lr: { full: number }; labels: string };
  };
  const { stdout } = await rpo(["train", "--help"]);
  const [, steps, rate, labels] =
    /tiny trains all of its U-Net, (\d+) steps at ([\de.-]+) with (\w+)\s+labels/.exec(stdout) ?? [];
  expect(train).toMatchObject({ adapter: "full", steps: Number(steps), lr: { full: Number(rate) }, labels });
});

/** Runs a program of the checkout that is no command. */
async function tool(program: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [join(root, "dist", program), ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

test("an unknown flag of npm run pretrain exits 2 with its usage", async () => {
  for (const args of [["--bogus"], ["all", "--steps"], ["nothing"]]) {
    const { code, stderr } = await tool("pretraining/stages/main.js", ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/\nusage: npm run --silent pretrain/);
    expect(stderr).not.toMatch(/^ {4}at /m);
  }
});

test("what a tool of the checkout cannot do is a line, and exit code 2", async () => {
  const nothing = join(folder, "no-demos");
  const { code, stderr } = await tool("tools/demos/main.js", "--output", nothing, "--tables");
  expect(code).toBe(2);
  expect(stderr).toBe(`${nothing}: no demo has been run there yet; leave --tables out\n`);
});

import { copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { layerTables } from "../../src/checkpoints/lora-files/layers.ts";
import { exportCheckpoint } from "../../src/commands/export/run.ts";
import { generatePictures } from "../../src/commands/generate/run.ts";
import { findSource } from "../../src/commands/source.ts";
import type { ProgressEvent, RunEvent, ValidationEvent } from "../../src/runs/events.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { Random } from "../../src/tensor/random.ts";
import { openSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { MODEL, rpo, temporaryFolder } from "./cli.ts";
import { runHere, shortRequest } from "./in-process.ts";
import {
  judgeHere,
  LEARNING,
  makeTraining,
  photos,
  prompts,
  silent,
  STEPS,
  validationsOf,
  type Training,
} from "./judging.ts";

/** rpo judge: other trainers' files, as its own training would judge them. */

const nobody = { fetch: () => Promise.reject(new Error("nothing is fetched")), warn: () => undefined };

let training: Training;
let run = "";
beforeAll(async () => {
  training = await makeTraining();
  ({ run } = training);
}, 120_000);
const fileOf = (step: number): string => training.fileOf(step);
const named: Training["named"] = (...args) => training.named(...args);

describe("the same choice as the run's own, from the same pictures, whoever names the files:", () => {
  test.each<[string, Readonly<Record<string, number>>, ((step: number) => Record<string, string>)?]>([
    ["sd-scripts, epochs", { "dog-000001.safetensors": 2, "dog-000002.safetensors": 4, "dog.safetensors": 6 }],
    [
      "sd-scripts, steps in the header",
      { "dog-000001.safetensors": 2, "dog-000002.safetensors": 4, "dog.safetensors": 6 },
      (step) => ({ ss_steps: String(step), ss_epoch: String(step / 2) }),
    ],
    [
      "sd-scripts, steps",
      { "dog-step00000002.safetensors": 2, "dog-step00000004.safetensors": 4, "dog.safetensors": 6 },
    ],
    [
      "ai-toolkit",
      { "dog/dog_000000002.safetensors": 2, "dog/dog_000000004.safetensors": 4, "dog/dog.safetensors": 6 },
      (step) => ({ training_info: JSON.stringify({ step, epoch: 0 }) }),
    ],
    [
      "OneTrainer",
      Object.fromEntries(STEPS.map((step) => [`save/dog2026-03-01_10-20-30-save-${step}-1-0.safetensors`, step])),
    ],
    [
      "SimpleTuner",
      Object.fromEntries(STEPS.map((step) => [`checkpoint-${step}/pytorch_lora_weights.safetensors`, step])),
    ],
    [
      "diffusers' scripts",
      {
        "checkpoint-2/pytorch_lora_weights.safetensors": 2,
        "checkpoint-4/pytorch_lora_weights.safetensors": 4,
        "pytorch_lora_weights.safetensors": 6,
      },
    ],
  ])("%s", async (_, names, header) => {
    const folder = await named(names, header);
    const inner = "dog/dog.safetensors" in names ? join(folder, "dog") : folder;
    const { output, verdict, judged, loads } = await judgeHere([inner]);
    expect(judged).toBe(3);
    expect(loads).toEqual({ unet: 1, texts: 1 });
    const [own, theirs] = [await validationsOf(run), await validationsOf(output)];
    expect(theirs).toHaveLength(4);
    for (const [i, { images }] of theirs.entries())
      for (const [k, { alignI, alignT, seed, text }] of images.entries()) {
        const mine = own[i].images[k];
        expect([seed, text]).toEqual([mine.seed, mine.text]);
        expect(alignI).toBeCloseTo(mine.alignI, 3);
        expect(alignT).toBeCloseTo(mine.alignT, 3);
      }
    const ownBest = JSON.parse(await readFile(join(run, "best.json"), "utf8")) as { step: number };
    const place = own.findIndex(({ step }) => step === ownBest.step);
    expect(verdict.best?.step).toBe(theirs[place].step);
  });
});

test("twelve files are judged with one reading of the model", async () => {
  const names = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`dog-step${String(i + 1).padStart(8, "0")}.safetensors`, STEPS[i % 3]]),
  );
  const { judged, loads, output } = await judgeHere([join(await named(names), "dog-*.safetensors")]);
  expect([judged, loads]).toEqual([12, { unet: 1, texts: 1 }]);
  // what was there before leaves nothing behind: equal files draw equal pictures, whatever was judged between them
  const images = (await validationsOf(output)).map((each) => each.images.map(({ sha256 }) => sha256).join());
  for (let i = 4; i <= 12; i++) expect(images[i]).toBe(images[i - 3]);
  expect(new Set(images).size).toBe(4);
});

describe("a judging that is stopped goes on to the same log", () => {
  const isValidation = (step: number) => (event: RunEvent | ProgressEvent) =>
    event.type === "validation" && event.step === step;
  const isPicture = (event: RunEvent | ProgressEvent) =>
    event.type === "progress" && event.phase === "validation" && event.done > 2;
  const story = async (folder: string) =>
    (await readFile(join(folder, "events.jsonl"), "utf8")).replace(/"time":"[^"]+"/, "");
  test.each([
    ["before anything was judged", isPicture],
    ["after the starting model", isValidation(0)],
    ["after the first file", isValidation(2)],
  ])("%s", async (_, until) => {
    const files = [join(await named({ "dog_000000002.safetensors": 2, "dog_000000004.safetensors": 4 }), "*")];
    const whole = await judgeHere(files);
    const stopped = await judgeHere(files, { until });
    expect(stopped.reason).toBe("interrupted");
    const again = await judgeHere(files, { request: { output: stopped.output } });
    expect(again.reason).toBe("done");
    expect(await story(stopped.output)).toBe(await story(whole.output));
    const best = (folder: string) => readFile(join(folder, "best.json"), "utf8");
    expect(await best(stopped.output)).toBe(await best(whole.output));
  });
});

test("files that come later are judged alone, a file that was written anew is judged again, and others are refused", async () => {
  const folder = await named({ "dog_000000002.safetensors": 2 });
  const at = (step: number) => join(folder, `dog_00000000${step}.safetensors`);
  const first = await judgeHere([folder]);
  const go = () => judgeHere([folder], { request: { output: first.output } });
  await copyFile(fileOf(6), at(6));
  expect((await go()).judged).toBe(1);
  await copyFile(fileOf(4), at(4));
  expect((await go()).judged).toBe(1);
  expect((await validationsOf(first.output)).map(({ step }) => step)).toEqual([0, 2, 4, 6]);
  expect((await go()).judged).toBe(0);
  await copyFile(fileOf(6), at(4));
  const anew = await go();
  expect([anew.judged, anew.warnings.join()]).toEqual([
    1,
    expect.stringContaining("has changed since it was judged") as string,
  ]);
  const [, , four, six] = await validationsOf(first.output);
  expect(four.images.map(({ sha256 }) => sha256)).toEqual(six.images.map(({ sha256 }) => sha256));
  const elsewhere = await named({ "cat_000000002.safetensors": 4 });
  await expect(judgeHere([elsewhere], { request: { output: first.output } })).rejects.toThrow(
    "is none of that; choose another folder",
  );
  await expect(judgeHere([folder], { request: { output: first.output, guidance: 3 } })).rejects.toThrow("guidance");
  await expect(judgeHere([folder], { request: { output: run } })).rejects.toThrow("already holds a training");
});

test("a half written file is waited for, and one that stays so is passed over by name", async () => {
  const folder = await named({ "dog_000000002.safetensors": 2 });
  const path = join(folder, "dog_000000004.safetensors");
  const whole = await readFile(fileOf(4));
  await writeFile(path, whole.subarray(0, whole.length / 2));
  const judging = judgeHere([folder], { patience: { quietMs: 4000, settleMs: 30, lookMs: 30 } });
  setTimeout(() => void writeFile(path, whole), 1500);
  expect((await judging).judged).toBe(2);
  await truncate(path, 100);
  const { judged, warnings } = await judgeHere([folder]);
  expect(judged).toBe(1);
  expect(warnings.join()).toContain(`passed over: ${path}`);
});

test("beside a training files are judged as they come, until it is stopped", async () => {
  const folder = await temporaryFolder();
  setTimeout(() => void copyFile(fileOf(2), join(folder, "dog_000000002.safetensors")), 500);
  const { reason, judged, output } = await judgeHere([join(folder, "dog_*.safetensors")], {
    watch: true,
    until(event) {
      if (event.type === "validation" && event.step === 2)
        void copyFile(fileOf(4), join(folder, "dog_000000004.safetensors"));
      return event.type === "validation" && event.step === 4;
    },
  });
  expect([reason, judged]).toEqual(["interrupted", 2]);
  expect((await readEvents(output)).at(-1)).toMatchObject({ type: "stop", reason: "interrupted" });
});

test("whole U-Nets, diffusers folders and LoRA files one after the other draw as each does alone", async () => {
  const request = await shortRequest(photos, { ...LEARNING, learningRate: 1e-3, adapter: "full", steps: 2 });
  await runHere(request);
  const unet = join(request.output, "checkpoints", "000002");
  const folder = await temporaryFolder();
  const source = {
    source: fileOf(2),
    adapter: undefined,
    model: MODEL,
    variant: undefined,
    vae: undefined,
    prediction: undefined,
    guidance: 1,
    run: undefined,
  };
  const exported = {
    ...source,
    checkpoint: "x",
    loras: [{ path: fileOf(6), weight: 1 }],
    dtype: "F32",
    threads: 1,
  } as const;
  await exportCheckpoint({ ...exported, format: "diffusers", output: join(folder, "checkpoint-8") }, silent);
  await mkdir(join(folder, "checkpoint-4"));
  for (const name of await readdir(unet)) await copyFile(join(unet, name), join(folder, "checkpoint-4", name));
  await copyFile(fileOf(2), join(folder, "dog_000000002.safetensors"));
  await copyFile(fileOf(2), join(folder, "dog_000000009.safetensors"));
  const { judged, loads, output } = await judgeHere([folder]);
  expect(judged).toBe(4);
  // once at the beginning, and once more after whole models
  expect(loads.unet).toBe(2);
  const [, two, four, eight, nine] = await validationsOf(output);
  const own = (await validationsOf(run)).slice(1);
  const full = (await validationsOf(request.output)).at(-1);
  const alignments = ({ images }: Pick<ValidationEvent, "images">) =>
    images.flatMap(({ alignI, alignT }) => [alignI, alignT]);
  for (const [theirs, mine] of [
    [two, own[0]],
    [four, full],
    [eight, own[2]],
    [nine, own[0]],
  ] as const)
    for (const [i, value] of alignments(theirs).entries())
      expect(value).toBeCloseTo(alignments(mine ?? { images: [] })[i], 3);
  expect(nine.images.map(({ sha256 }) => sha256)).toEqual(two.images.map(({ sha256 }) => sha256));
  expect((await findSource({ adapter: join(output, "checkpoints", "000004") }, nobody)).adapter).toBe(
    join(folder, "checkpoint-4"),
  );
  expect((await findSource({ adapter: join(output, "checkpoints", "000008") }, nobody)).model).toBe(
    join(folder, "checkpoint-8"),
  );
});

test("a LoRA of the text encoder draws as rpo generate draws with it, and the next file as without it", async () => {
  const model = await openStableDiffusion(MODEL);
  const [layer] = [...(layerTables(model).get("text_encoder")?.dotted.values() ?? [])].filter(({ name }) =>
    name.endsWith("q_proj"),
  );
  const [out, features] = layer.shape;
  const rng = new Random(0);
  const folder = await named({ "dog_000000004.safetensors": 2 });
  const path = join(folder, "dog_000000002.safetensors");
  await writeSafetensors(path, [
    { name: `text_encoder.${layer.name}.lora_A.weight`, tensor: rng.split("a").normal([2, features]) },
    { name: `text_encoder.${layer.name}.lora_B.weight`, tensor: rng.split("b").normal([out, 2]) },
  ]);
  const one = join(await temporaryFolder(), "one.txt");
  await writeFile(one, "a {token} {class} on the Moon\n");
  const { output } = await judgeHere([folder], { request: { prompts: one } });
  const [start, text, plain] = await validationsOf(output);
  expect(text.images[0].sha256).not.toBe(start.images[0].sha256);
  const { seed, text: prompt = "", image } = text.images[0];
  const pictures = await temporaryFolder();
  const drawing = {
    model: MODEL,
    adapter: undefined,
    prompts: [prompt],
    negative: undefined,
    count: 1,
    seed,
    sampler: "dpm",
  } as const;
  await generatePictures(
    {
      ...drawing,
      loras: [{ path, weight: 1 }],
      steps: 2,
      guidance: 7.5,
      height: undefined,
      width: undefined,
      threads: 1,
      output: pictures,
    },
    { ...silent, signal: new AbortController().signal },
  );
  expect(await readFile(join(output, image))).toEqual(await readFile(join(pictures, `${seed}.png`)));
  const alone = await judgeHere([join(folder, "dog_000000004.safetensors")], { request: { prompts: one } });
  expect((await validationsOf(alone.output))[1].images[0].sha256).toBe(plain.images[0].sha256);
});

test("report, select, generate and export work on what was judged, and find the file", async () => {
  const { output } = await judgeHere([await named({ "dog_000000002.safetensors": 2, "dog_000000006.safetensors": 6 })]);
  expect((await rpo(["report", output])).code).toBe(0);
  const page = await readFile(join(output, "report.html"), "utf8");
  expect(page).toContain("2 checkpoints of another program");
  expect(page).toContain("dog_000000006.safetensors");
  expect(page).not.toContain("learning rate");
  const steps: string[] = [];
  for (const lambda of ["0", "1"]) {
    const { stdout } = await rpo(["select", output, "--lambda", lambda, "--json"]);
    const { step, file } = JSON.parse(stdout) as { step: number; file?: string };
    expect(file === undefined ? 0 : Number(/(\d)\.safetensors$/.exec(file)?.[1])).toBe(step);
    steps.push(String(step));
  }
  const adapter = join(output, "checkpoints", "000006");
  const pictures = join(await temporaryFolder(), "pictures");
  const drawn = await rpo([
    "generate",
    "--adapter",
    adapter,
    "--prompt",
    "a dog",
    "-n",
    "1",
    "--steps",
    "2",
    "--threads",
    "1",
    // what they were drawn with has another name in each
    "--no-parameters",
    "--output",
    pictures,
  ]);
  expect(drawn.code, drawn.stderr).toBe(0);
  const own = join(await temporaryFolder(), "own");
  await rpo([
    "generate",
    "--model",
    MODEL,
    "--lora",
    fileOf(6),
    "--prompt",
    "a dog",
    "-n",
    "1",
    "--steps",
    "2",
    "--threads",
    "1",
    "--no-parameters",
    "--output",
    own,
  ]);
  expect(await readFile(join(pictures, "0.png"))).toEqual(await readFile(join(own, "0.png")));
  for (const format of ["kohya", "peft", "diffusers"]) {
    const exported = await rpo(["export", adapter, "--format", format, "--threads", "1"]);
    expect(exported.code, exported.stderr).toBe(0);
    expect((await stat(exported.stdout.trim())).isDirectory()).toBe(format !== "kohya");
  }
  const again = await openSafetensors(join(output, "exports", `${basename(output)}-000006.safetensors`));
  const before = await openSafetensors(fileOf(6));
  for (const name of before.tensors.keys()) expect(await again.read(name)).toEqual(await before.read(name));
  expect((await rpo(["train", "--resume", "--output", output])).stderr).toContain("rpo judge goes on with it");
});

test("a trainer's own pictures are scored in the place of drawn ones, and give the run's own figures", async () => {
  const output = join(await temporaryFolder(), "judged");
  const images = ["--images", photos, "--class", "dog"];
  const samples = [
    "--samples",
    join(run, "images"),
    "--prompts",
    prompts,
    "--reward",
    (await shortRequest(photos)).reward,
  ];
  const { code, stdout, stderr } = await rpo(["judge", ...samples, ...images, "--threads", "1", "--output", output]);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain("ALIGN-I");
  // nothing to draw with is known
  expect(stderr).not.toContain("rpo generate");
  const [own, theirs] = [await validationsOf(run), await validationsOf(output)];
  expect(theirs.map(({ reward }) => reward)).toEqual(own.map(({ reward }) => reward));
  expect(theirs.map(({ images: all }) => all.map(({ alignT }) => alignT))).toEqual(
    own.map(({ images: all }) => all.map(({ alignT }) => alignT)),
  );
  expect((await rpo(["report", output])).code).toBe(0);
  const drawing = await rpo(["generate", "--adapter", output, "--prompt", "a dog", "--output", join(output, "x")]);
  expect([drawing.code, drawing.stderr]).toEqual([2, expect.stringMatching(/rpo: /) as string]);
});

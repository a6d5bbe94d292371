import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { judgeCheckpoints } from "../../src/judging/judge.ts";
import { readEvents } from "../../src/runs/folder.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { few, makePhotos, MODEL, REWARD, rpo, SDXL, temporaryFolder } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";
import { IS_THOROUGH, some } from "../thorough.ts";

/** Runs that train a LoRA of the text encoders too: what they write, draw with, export, and how they go on. */

const photos = await makePhotos(2);
const prompts = join(await temporaryFolder(), "prompts.txt");
await writeFile(prompts, "a {token} {class} on the Moon\na {token} {class} in the snow\n");
const request = (more: Partial<TrainRequest> = {}) =>
  shortRequest(photos, {
    ...{ prompts, subject: undefined, classPictures: 2, roundEvery: 2, roundPictures: 2 },
    ...{ trainTextEncoder: true, learningRate: 0.02, textEncoderLearningRate: 0.01 },
    ...more,
  });

const checkpointOf = (run: string, step = 4) => join(run, "checkpoints", String(step).padStart(6, "0"));
const tensors = async (path: string) => {
  const file = await openSafetensors(path);
  return Promise.all([...file.tensors.keys()].map(async (name) => [name, (await file.read(name)).data] as const));
};
const weights = (run: string, step?: number) => readFile(join(checkpointOf(run, step), "adapter_model.safetensors"));
const story = async (run: string) =>
  (await readEvents(run))
    .filter(({ type }) => type !== "start" && type !== "stop")
    .map((event) => (event.type === "step" ? { ...event, seconds: 0 } : event));

/** The photos alone, a reference that is frozen, rounds of the model's own pictures, a distance of the weights. */
describe.each(some(["dreambooth", "rpo", "dpo", "preserve"] as const, 2, 1))("method %s", (method) => {
  test("trains the text encoder, is stopped anywhere, and goes on to the same end", async () => {
    const [whole, stopped] = [await request({ method }), await request({ method })];
    await runHere(whole);
    const both = await tensors(join(checkpointOf(whole.output), "adapter_model.safetensors"));
    const moved = both.filter(([name]) => /^text_encoder\.text_model\..*lora_B/.test(name));
    expect(moved.length).toBeGreaterThan(3);
    for (const [name, data] of moved) expect([name, data.some((x) => x !== 0)]).toEqual([name, true]);
    for (const [i, until] of [atStep(1), atStep(3)].entries())
      expect((await runHere(stopped, { until, resume: i > 0 })).reason).toBe("interrupted");
    expect((await runHere(stopped, { resume: true })).reason).toBe("steps");
    expect(await weights(stopped.output)).toEqual(await weights(whole.output));
    expect(await story(stopped.output)).toEqual(await story(whole.output));
  });
});

test("the first step's loss is that of a run without it, and the pictures before it are the starting model's", async () => {
  const [own, plain] = [await request({ steps: 1 }), await request({ steps: 1, trainTextEncoder: false })];
  for (const each of [own, plain]) await runHere({ ...each, textEncoderLearningRate: undefined });
  const [a, b] = [await story(own.output), await story(plain.output)];
  const ofStep = (events: typeof a) => events.flatMap((event) => (event.type === "step" ? [event.curves["loss"]] : []));
  expect(Math.abs(ofStep(a)[0] / ofStep(b)[0] - 1)).toBeLessThan(1e-5);
  const first = (events: typeof a) =>
    events.flatMap((event) => (event.type === "validation" && event.step === 0 ? event.images : []));
  for (const [i, { alignI, alignT }] of first(a).entries()) {
    expect(alignI).toBeCloseTo(first(b)[i].alignI, 3);
    expect(alignT).toBeCloseTo(first(b)[i].alignT, 3);
  }
});

test("a run that is given more steps ends as the run that was begun for them", async () => {
  const [short, long] = [await request({ steps: 2 }), await request()];
  await runHere(short);
  await runHere({ ...short, steps: 4 }, { resume: true });
  await runHere(long);
  expect(await weights(short.output)).toEqual(await weights(long.output));
});

test("with captions, buckets, batches, Prodigy, warm-up and little memory too, it goes on to the same end", async () => {
  const images = await makePhotos(3);
  await writeFile(join(images, "1.txt"), "a {token} {class} asleep on a couch");
  const own: Partial<TrainRequest> = {
    images,
    method: "dreambooth",
    captions: "auto",
    crop: "bucket",
    batch: 2,
    accumulate: 2,
    warmup: 1,
    minSnr: 5,
    memory: "low",
    // so large that the distance is another after four steps
    ...{ optimizer: "prodigy", dCoef: 1e5, learningRate: 1, textEncoderLearningRate: undefined },
  };
  const [whole, stopped] = [await request(own), await request(own)];
  await runHere(whole);
  expect((await runHere(stopped, { until: atStep(3) })).reason).toBe("interrupted");
  await runHere(stopped, { resume: true });
  expect(await weights(stopped.output)).toEqual(await weights(whole.output));
  expect(await story(stopped.output)).toEqual(await story(whole.output));
  const d = (await story(whole.output)).flatMap((event) => (event.type === "step" ? [event.curves["d"]] : []));
  // the first step's rate is 0, and the second has nowhere to measure from
  expect([d[0], d[1], d[2] > 1e-6, d[3] > d[2]]).toEqual([1e-6, 1e-6, true, true]);
});

test("a U-Net in half precision, as the file has it, trains as in float32, to the bit", async () => {
  const [half, full] = [await request({ precision: "float16" }), await request({ precision: "float32" })];
  for (const each of [half, full]) await runHere(each);
  expect(await weights(half.output)).toEqual(await weights(full.output));
});

test("killed outright, it goes on to the same end", async () => {
  const train = (output: string) => [
    ...["train", "--model", MODEL, "--reward", REWARD, "--images", photos, "--class", "dog", "--train-text-encoder"],
    ...[...few(4), "--negatives", "1"],
    ...["--threads", "1", "--prompts", prompts, "--yes", "--json", "--output", output],
  ];
  const [whole, killed] = [join(await temporaryFolder(), "run"), join(await temporaryFolder(), "run")];
  const { code, stderr, stdout } = await rpo(train(whole));
  expect(code, stderr).toBe(0);
  const lines = stdout.split("\n").findIndex((line) => line.includes('"type":"step","step":3'));
  expect((await rpo(train(killed), { kill: { afterLines: lines, afterMs: 0 } })).code).toBe(null);
  const resumed = await rpo(["train", "--resume", "--output", killed, "--yes"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(await weights(killed)).toEqual(await weights(whole));
});

test("rules that watch a loss watch it with the text encoder as it is", async () => {
  const watched = await request({ method: "dreambooth", earlyStopping: true, stop: "variance", stopEvery: 1 });
  await runHere(watched);
  const fixed = (await readEvents(watched.output)).flatMap((event) =>
    event.type === "step" ? [event.curves["fixed"]] : [],
  );
  expect(new Set(fixed).size).toBe(4);
});

describe.each([
  ["Stable Diffusion 1.x", MODEL, ["text_encoder"], ["lora_te_"]],
  ["XL", SDXL, ["text_encoder", "text_encoder_2"], ["lora_te1_", "lora_te2_"]],
])("%s", (_name, model, parts, prefixes) => {
  let run = "";
  let checkpoint = "";
  beforeAll(async () => {
    const wanted = await request({ model });
    run = wanted.output;
    checkpoint = checkpointOf(run);
    await runHere(wanted);
  }, 120_000);

  const draw = async (...source: string[]) => {
    const output = join(await temporaryFolder(), "pictures");
    const how = ["--seed", "7", "-n", "1", "--steps", "4", "--threads", "1", "--output", output];
    const { code, stderr } = await rpo(["generate", ...source, "--prompt", "a [V] dog on the Moon", ...how]);
    expect(code, stderr).toBe(0);
    return sharp(join(output, "7.png")).raw().toBuffer();
  };
  const furthest = (a: Buffer, b: Buffer) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));
  const exported = async (format: string) => {
    const output = join(await temporaryFolder(), format === "kohya" ? "dog.safetensors" : format);
    const { code, stderr } = await rpo(["export", checkpoint, "--format", format, "--output", output]);
    expect(code, stderr).toBe(0);
    return output;
  };

  test("a checkpoint holds the U-Net's LoRA and that of every text encoder, and generate draws with both", async () => {
    expect((await readdir(checkpoint)).sort()).toEqual([
      "SHA256SUMS",
      "adapter_config.json",
      "adapter_model.safetensors",
    ]);
    const names = (await tensors(join(checkpoint, "adapter_model.safetensors"))).map(([name]) => name);
    for (const part of parts)
      for (const layer of ["q_proj", "k_proj", "v_proj", "out_proj"])
        expect(names).toContain(`${part}.text_model.encoder.layers.0.self_attn.${layer}.lora_A.weight`);
    expect(names.filter((name) => /mlp|embeddings/.test(name))).toEqual([]);
    const last = (await readEvents(run)).filter((event) => event.type === "validation").at(-1);
    const { text = "", seed = 0, image = "" } = last?.images[0] ?? {};
    const output = join(await temporaryFolder(), "pictures");
    // XL without a negative prompt steers away from zeros, a validation from the empty text
    const what = [
      "--prompt",
      text,
      "--negative",
      "",
      "--seed",
      String(seed),
      "-n",
      "1",
      "--steps",
      "2",
      "--threads",
      "1",
    ];
    const { code, stderr } = await rpo(["generate", "--adapter", checkpoint, ...what, "--output", output]);
    expect(code, stderr).toBe(0);
    const [ours, trained] = [join(output, `${seed}.png`), join(run, image)];
    expect(furthest(await sharp(ours).raw().toBuffer(), await sharp(trained).raw().toBuffer())).toBeLessThan(3);
  });

  test.runIf(model === MODEL || IS_THOROUGH)(
    "every export draws what the checkpoint draws, and kohya's has its names of the text encoders",
    async () => {
      const [own, base] = [await draw("--adapter", checkpoint), await draw("--model", model)];
      expect(furthest(own, base)).toBeGreaterThan(20);
      const kohya = await exported("kohya");
      const names = (await tensors(kohya)).map(([name]) => name);
      for (const prefix of prefixes)
        expect(names).toContain(`${prefix}text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight`);
      const peft = await exported("peft");
      const sources = [
        ["--model", model, "--lora", kohya],
        ["--model", model, "--lora", peft],
        ["--model", model, "--adapter", peft],
        ["--model", await exported("diffusers")],
      ];
      for (const source of sources) expect([source, furthest(own, await draw(...source)) < 3]).toEqual([source, true]);
    },
  );

  test("judged as another trainer's, its checkpoints have the run's own rewards", async () => {
    const wanted = await shortRequest(photos, { model, prompts, subject: undefined });
    await judgeCheckpoints(
      {
        request: wanted,
        judging: { checkpoints: [checkpoint] },
        watch: false,
        patience: { quietMs: 0, settleMs: 0, lookMs: 10 },
      },
      { emit: () => undefined, signal: new AbortController().signal, confirm: () => Promise.resolve(true) },
    );
    const ofRun = (await readEvents(run)).filter((event) => event.type === "validation").at(-1);
    const judged = (await readEvents(wanted.output)).filter((event) => event.type === "validation").at(-1);
    expect(judged?.images.length).toBe(ofRun?.images.length);
    for (const [i, { alignI, alignT }] of (judged?.images ?? []).entries()) {
      expect(alignI).toBeCloseTo(ofRun?.images[i].alignI ?? NaN, 2);
      expect(alignT).toBeCloseTo(ofRun?.images[i].alignT ?? NaN, 2);
    }
  });
});

describe("what does not fit is refused before any work", () => {
  test.each([
    [["--method", "inversion"], /--train-text-encoder: belongs to --method .*, not to inversion/],
    [["--method", "custom"], /--train-text-encoder: belongs to --method .*, not to custom/],
    [["--adapter", "full"], /--train-text-encoder gives the text encoders a LoRA.*; it needs --adapter lora/],
  ])("%s", async (flags, message) => {
    const common = ["--model", MODEL, "--reward", REWARD, "--images", photos, "--class", "dog", "--yes"];
    const { code, stderr } = await rpo(["train", ...common, "--train-text-encoder", ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(stderr.trim().split("\n").length).toBeLessThan(3);
  });

  test("a rate of text encoders that do not train", async () => {
    const common = ["--model", MODEL, "--reward", REWARD, "--images", photos, "--class", "dog", "--yes"];
    const { code, stderr } = await rpo(["train", ...common, "--text-encoder-lr", "1e-5"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--text-encoder-lr 0.00001: no text encoder trains; add --train-text-encoder");
  });
});

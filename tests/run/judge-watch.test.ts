import { cp, mkdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { exportCheckpoint } from "../../src/commands/export/run.ts";
import type { ProgressEvent, RunEvent } from "../../src/runs/events.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { readJudged } from "../../src/runs/judged.ts";
import { writeSafetensors } from "../../src/tensor/safetensors.ts";
import { MODEL, REWARD, rpo, temporaryFolder } from "./cli.ts";
import { judgeHere, makeTraining, photos, prompts, silent, validationsOf, type Training } from "./judging.ts";
import { textOf } from "../../src/system/message.ts";

/** rpo judge on folders that a trainer works in: files come, change, move and go. */

let training: Training;
beforeAll(async () => {
  training = await makeTraining();
}, 120_000);

const stepFile = (step: number) => `dog_00000000${step}.safetensors`;
const isValidation = (step: number) => (event: RunEvent | ProgressEvent) =>
  event.type === "validation" && event.step === step;
const stepsIn = async (run: string) => (await validationsOf(run)).map(({ step }) => step);
const picturesOf = async (run: string, step: number) =>
  (await validationsOf(run)).find((each) => each.step === step)?.images.map(({ sha256 }) => sha256);

describe("the last file, which has no number,", () => {
  test("moves on with what was judged of it when the training goes on, and draws nothing again", async () => {
    const folder = await training.named({ [stepFile(2)]: 2, [stepFile(4)]: 4, "dog.safetensors": 6 });
    const { output } = await judgeHere([folder]);
    expect(await stepsIn(output)).toEqual([0, 2, 4, 6]);
    const before = await picturesOf(output, 6);
    await training.put(join(folder, stepFile(6)), 2);
    const again = await judgeHere([folder], { request: { output } });
    expect(again.judged).toBe(1);
    expect(await stepsIn(output)).toEqual([0, 2, 4, 6, 8]);
    expect(await picturesOf(output, 8)).toEqual(before);
    expect(await picturesOf(output, 6)).toEqual(await picturesOf(output, 2));
    expect((await readJudged(join(output, "checkpoints", "000008")))?.path).toBe(join(folder, "dog.safetensors"));
    expect((await judgeHere([folder], { request: { output } })).judged).toBe(0);
    expect((await rpo(["report", output])).code).toBe(0);
  });

  test("is a file with a number where that comes later and holds the same", async () => {
    const folder = await training.named({ [stepFile(2)]: 2, "dog.safetensors": 6 });
    const { output } = await judgeHere([folder]);
    expect(await stepsIn(output)).toEqual([0, 2, 4]);
    await training.put(join(folder, stepFile(6)), 6, { training_info: '{"step": 6}' });
    const { judged, warnings } = await judgeHere([folder], { request: { output } });
    expect([judged, await stepsIn(output)]).toEqual([0, [0, 2, 6]]);
    expect(warnings.join()).toContain(`dog.safetensors is ${stepFile(6)} again`);
  });
});

describe("what is being written is waited for:", () => {
  test("a checkpoint's folder, as long as anything in it changes", async () => {
    const folder = await training.named({ [stepFile(2)]: 2 });
    const own = join(folder, "checkpoint-4");
    const whole = await readFile(training.fileOf(4));
    await mkdir(own);
    const writing = (async () => {
      await sleep(300);
      await writeFile(join(own, "pytorch_lora_weights.safetensors"), whole.subarray(0, whole.length / 2));
      await sleep(600);
      await writeFile(join(own, "pytorch_lora_weights.safetensors"), whole);
      // what is read last is written last
      for (let i = 0; i < 5; i++) {
        await sleep(200);
        await writeFile(join(own, `optimizer-${i}.bin`), "x");
      }
      return Date.now();
    })();
    let begun = 0;
    const { judged, warnings, output } = await judgeHere([folder], {
      patience: { quietMs: 10_000, settleMs: 1500, lookMs: 30 },
      until(event) {
        if (event.type === "validation") begun = Date.now();
        return false;
      },
    });
    expect([judged, warnings]).toEqual([2, []]);
    expect(begun).toBeGreaterThan(await writing);
    expect(await stepsIn(output)).toEqual([0, 2, 4]);
  });

  test("a file of its full length whose numbers are still to come is judged once, with them", async () => {
    const folder = await training.named({ [stepFile(2)]: 2 });
    const path = join(folder, stepFile(4));
    const whole = await readFile(training.fileOf(4));
    const other = await readFile(training.fileOf(2));
    const { judged, warnings, output } = await judgeHere([folder], {
      watch: true,
      patience: { quietMs: 5000, settleMs: 1500, lookMs: 30 },
      until(event) {
        if (isValidation(2)(event))
          void writeFile(path, other).then(() => setTimeout(() => void writeFile(path, whole), 400));
        return isValidation(4)(event);
      },
    });
    expect([judged, warnings]).toEqual([2, []]);
    expect(await picturesOf(output, 4)).not.toEqual(await picturesOf(output, 2));
  });

  test("a model that is written anew while it is drawn with is judged as what it has become", async () => {
    const exported = async (step: number, output: string) => {
      const source = { adapter: undefined, model: MODEL, variant: undefined, vae: undefined, prediction: undefined };
      const loras = [{ path: training.fileOf(step), weight: 1 }];
      const settings = { ...source, source: "x", checkpoint: "x", loras, guidance: 1, run: undefined } as const;
      await exportCheckpoint({ ...settings, format: "diffusers", output, dtype: "F32", threads: 1 }, silent);
    };
    const [old, now] = [await temporaryFolder(), await temporaryFolder()].map((each) => join(each, "checkpoint-4"));
    await exported(2, old);
    await exported(6, now);
    let isWritten = false;
    const { output, judged } = await judgeHere([old], {
      until(event) {
        if (event.type !== "validation" || isWritten) return false;
        isWritten = true;
        // the starting model has been judged: the next drawing begins now
        setTimeout(() => void cp(join(now, "unet"), join(old, "unet"), { recursive: true }), 150);
        return false;
      },
    });
    const alone = await judgeHere([now]);
    expect(judged).toBe(1);
    expect(await picturesOf(output, 4)).toEqual(await picturesOf(alone.output, 4));
  });
});

test("a file that could not be read is judged when it is written anew, and told of once", async () => {
  const folder = await training.named({ [stepFile(2)]: 2, [stepFile(4)]: 4 });
  const path = join(folder, stepFile(4));
  await truncate(path, 5000);
  const { judged, warnings } = await judgeHere([folder], {
    watch: true,
    until(event) {
      if (event.type === "warning" && textOf(event.text).startsWith("passed over"))
        setTimeout(() => void training.put(path, 4), 500);
      return isValidation(4)(event);
    },
  });
  expect(judged).toBe(2);
  expect(warnings.filter((text) => text.startsWith("passed over"))).toHaveLength(1);
});

test("a file of another model is judged when the right one takes its place, and each wrong one is told of", async () => {
  const folder = await training.named({ [stepFile(2)]: 2 });
  const path = join(folder, stepFile(4));
  const wrong = (name: string) =>
    writeSafetensors(path, [{ name, tensor: { dtype: "float32", shape: [2, 2], data: new Float32Array(4) } }]);
  let told = 0;
  const { judged, warnings } = await judgeHere([folder], {
    watch: true,
    until(event) {
      if (isValidation(2)(event)) void wrong("lora_unet_nowhere.lora_down.weight");
      if (event.type === "warning" && ++told === 1) void wrong("transformer.lora_A.weight");
      if (event.type === "warning" && told === 2) void training.put(path, 4);
      return isValidation(4)(event);
    },
  });
  expect([judged, warnings.filter((text) => text.startsWith("passed over")).length]).toEqual([2, 2]);
});

test("what cannot be put in order beside a training is told, and waited out", async () => {
  const folder = await training.named({ [stepFile(2)]: 2 });
  const stray = [join(folder, "cat.safetensors"), join(folder, "bird.safetensors")];
  const { judged, warnings } = await judgeHere([folder], {
    watch: true,
    until(event) {
      if (isValidation(2)(event)) for (const [i, path] of stray.entries()) void training.put(path, 4 + 2 * i);
      if (event.type === "warning" && event.text.includes("do not say which step"))
        void Promise.all(stray.map((path) => rm(path))).then(() => training.put(join(folder, stepFile(4)), 4));
      return isValidation(4)(event);
    },
  });
  expect(judged).toBe(2);
  expect(warnings.join()).toContain("nothing more is judged until that is put right");
});

describe("files that the trainer has removed", () => {
  test("are told beside the best that is there, which is drawn with", async () => {
    const folder = await training.named({ [stepFile(2)]: 2, [stepFile(4)]: 4, [stepFile(6)]: 6 });
    const { keep } = (await judgeHere([folder])).verdict;
    const { step: best, to: lambda } = keep.find(({ step }) => step > 0) ?? { step: 0, to: 0 };
    expect(best).toBeGreaterThan(0);
    const { output } = await judgeHere([folder], { request: { lambda } });
    await rm(join(folder, stepFile(best)));
    const again = await judgeHere([folder], { request: { lambda, output } });
    expect(again.verdict.bestOfAll?.step).toBe(best);
    expect(again.verdict.best?.step).not.toBe(best);
    const written = JSON.parse(await readFile(join(output, "best.json"), "utf8")) as { step: number };
    expect(written.step).toBe(again.verdict.best?.step);
    await rpo(["report", output]);
    expect(await readFile(join(output, "report.html"), "utf8")).toContain("no longer there");
    const told = await rpo([
      ...["judge", "--checkpoints", folder, "--images", photos, "--class", "dog", "--model", MODEL, "--reward", REWARD],
      ...["--prompts", prompts, "--validation-images", "1", "--sampler-steps", "2", "--threads", "1"],
      ...["--lambda", String(lambda), "--output", output],
    ]);
    expect(told.code, told.stderr).toBe(0);
    expect(told.stdout).toContain(`${stepFile(best)} (gone)`);
    expect(told.stderr).toMatch(
      new RegExp(`at lambda ${lambda} ${stepFile(best)} was the best of all .*no longer there`),
    );
  });
});

describe("another training's files", () => {
  test("do not go into a judging that is there; the same files in another folder do", async () => {
    const folder = await training.named({ [stepFile(2)]: 2, [stepFile(4)]: 4 });
    const { output } = await judgeHere([folder]);
    const other = await training.named({ "rex_000000008.safetensors": 6 });
    await expect(judgeHere([other], { request: { output } })).rejects.toThrow(
      /it holds what was judged of another training, such as .*dog_000000002.* choose another folder/,
    );
    const moved = join(await temporaryFolder(), "moved");
    await rename(folder, moved);
    const again = await judgeHere([moved], { request: { output } });
    expect(again.judged).toBe(0);
    expect(again.verdict.candidates.map(({ gone }) => gone)).toEqual([undefined, undefined, undefined]);
  });
});

describe("the trainer's own pictures, as they are drawn:", () => {
  const sample = (step: number, prompt: number) => `${step}000000__00000000${step}_${prompt}.png`;
  const copyOf = async (step: number, prompt: number) =>
    readFile(join(training.run, "images", `validation-00000${step}-0${prompt}-0.png`));
  const put = async (folder: string, step: number, ...which: readonly number[]) => {
    await mkdir(folder, { recursive: true });
    for (const prompt of which) await writeFile(join(folder, sample(step, prompt)), await copyOf(step, prompt));
  };
  const rewardsOf = async (run: string) => (await validationsOf(run)).map(({ step, reward }) => [step, reward]);
  const patience = { quietMs: 700, settleMs: 30, lookMs: 30 };

  test("nothing is there at first, and that is said; prompts that come late are judged with all steps", async () => {
    const samples = join(await temporaryFolder(), "samples");
    setTimeout(() => void put(samples, 0, 0), 500);
    let drawing: Promise<void> | undefined;
    const rest = async () => {
      await put(samples, 0, 1);
      await put(samples, 2, 0, 1);
      await sleep(300);
      await put(samples, 4, 0);
      await sleep(300);
      await put(samples, 4, 1);
    };
    const { warnings, output, reason } = await judgeHere([], {
      samples,
      watch: true,
      patience,
      until(event) {
        // the first step was taken for whole
        if (isValidation(0)(event)) drawing ??= rest();
        return isValidation(4)(event);
      },
    });
    await drawing;
    expect(reason).toBe("interrupted");
    expect(warnings[0]).toContain("are waited for");
    expect(warnings.join()).toContain("every step is judged anew");
    expect(await rewardsOf(output)).toEqual((await rewardsOf(training.run)).slice(0, 3));
    const again = await judgeHere([], { samples, request: { output } });
    expect([again.reason, again.judged]).toEqual(["done", 0]);
  });

  test("a picture that is half written is waited for, and one that stays so passed over with its step", async () => {
    const samples = await temporaryFolder();
    await put(samples, 0, 0, 1);
    await put(samples, 2, 0, 1);
    await put(samples, 4, 0, 1);
    const [early, late] = [join(samples, sample(0, 1)), join(samples, sample(2, 1))];
    const whole = await readFile(early);
    await writeFile(early, whole.subarray(0, whole.length / 2));
    await truncate(late, 100);
    setTimeout(() => void writeFile(early, whole), 400);
    const { warnings, output } = await judgeHere([], { samples, patience });
    expect(await rewardsOf(output)).toEqual(
      (await rewardsOf(training.run)).filter(([step]) => step === 0 || step === 4),
    );
    expect(warnings.join()).toContain(`passed over: step 2: ${late}`);
    // drawn anew it is judged, and so is one that was judged
    await put(samples, 2, 0, 1);
    await writeFile(join(samples, sample(4, 0)), await copyOf(6, 0));
    const again = await judgeHere([], { samples, patience, request: { output } });
    expect([again.judged, await stepsIn(output)]).toEqual([2, [0, 2, 4]]);
  });

  test("a picture that is drawn anew beside the judging is judged again", async () => {
    const samples = await temporaryFolder();
    await put(samples, 0, 0, 1);
    await put(samples, 2, 0, 1);
    let times = 0;
    const { judged } = await judgeHere([], {
      samples,
      watch: true,
      patience: { ...patience, settleMs: 300 },
      until(event) {
        if (isValidation(2)(event) && ++times === 1)
          void copyOf(4, 0).then((bytes) => writeFile(join(samples, sample(2, 0)), bytes));
        return times === 2;
      },
    });
    expect(judged).toBe(3);
  });

  test("what is linked is written once, and a checkpoint that is not there yet is waited for", async () => {
    const samples = await temporaryFolder();
    const folder = join(await temporaryFolder(), "output");
    await put(samples, 0, 0, 1);
    await put(samples, 2, 0, 1);
    const file = (run: string) => join(run, "checkpoints", "000002", "judged.json");
    const output = join(await temporaryFolder(), "judged");
    const times: number[] = [];
    const looking = (async () => {
      await sleep(800);
      await mkdir(folder);
      await writeFile(join(folder, stepFile(2)), (await readFile(training.fileOf(2))).subarray(0, 3000));
      await sleep(500);
      await training.put(join(folder, stepFile(2)), 2);
      for (let i = 0; i < 3; i++) {
        await sleep(500);
        times.push((await stat(file(output))).mtimeMs);
      }
      await put(samples, 4, 0, 1);
    })();
    await judgeHere([folder], { samples, watch: true, patience, request: { output }, until: isValidation(4) });
    await looking;
    expect(new Set(times).size).toBe(1);
    expect((await readEvents(output)).at(-1)).toMatchObject({ type: "stop", reason: "interrupted" });
  });

  test("the command waits for a folder that is not there only beside a training", async () => {
    const samples = join(await temporaryFolder(), "later");
    const args = ["judge", "--samples", samples, "--prompts", prompts, "--images", photos, "--class", "dog"];
    const { code, stderr } = await rpo([...args, "--reward", "tiny", "--threads", "1"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("no such folder") as string]);
    const watched = await rpo(
      [...args, "--reward", "tiny", "--threads", "1", "--watch", "--output", join(samples, "..", "run")],
      {
        interruptWhen: /are waited for[\s\S]*waiting/,
      },
    );
    expect(watched.code, watched.stderr).toBe(130);
  });
});

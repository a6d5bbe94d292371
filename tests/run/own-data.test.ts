import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readEvents } from "../../src/runs/folder.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { makePhotos, rpo } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** Trainings on what people bring: captions, masks, batches, schedules. */

const photos = await makePhotos(3);
await writeFile(join(photos, "1.txt"), "a dog asleep\n");
const half = Buffer.from(
  '<svg width="40" height="48"><rect width="40" height="48"/><rect width="20" height="48" fill="#fff"/></svg>',
);
await sharp(half).flatten().png().toFile(join(photos, "0.mask.png"));

/** One of each, so that a run takes a second. */
const prompts = join(photos, "prompts.json");
await writeFile(
  prompts,
  JSON.stringify({ training: ["a {token} {class} on the Moon"], validation: ["a {token} {class} in the snow"] }),
);

const ALL = {
  captions: "auto",
  flip: true,
  maskedLoss: true,
  maskOutside: 0.1,
  batch: 2,
  accumulate: 2,
  schedule: "cosine",
  warmup: 1,
  minSnr: 0.05,
} as const;

const story = async (run: string) =>
  (await readEvents(run))
    .filter(({ type }) => type !== "start" && type !== "stop")
    .map((event) => (event.type === "step" ? { ...event, seconds: 0 } : event));
const weights = (run: string) => readFile(join(run, "checkpoints", "000004", "adapter_model.safetensors"));
const train = async (more: Partial<TrainRequest>, until?: Parameters<typeof runHere>[1]) => {
  const request = await shortRequest(photos, { prompts, ...more });
  const result = await runHere(request, until);
  return { request, result, run: request.output };
};

describe("with everything at once", () => {
  test.each([1, 3])("a run that was stopped after step %i ends as if it had not been", async (step) => {
    const whole = await train(ALL);
    const stopped = await train(ALL, { until: atStep(step) });
    expect(stopped.result.reason).toBe("interrupted");
    expect((await runHere(stopped.request, { resume: true })).reason).toBe("steps");
    expect(await weights(stopped.run)).toEqual(await weights(whole.run));
    expect(await story(stopped.run)).toEqual(await story(whole.run));
    const steps = (await readEvents(whole.run)).filter((event) => event.type === "step");
    for (const { photos: shown = [], startingPictures = [] } of steps)
      expect([shown.length, startingPictures.length]).toEqual([4, 4]);
    const { code, stderr } = await rpo(["report", whole.run]);
    expect(code, stderr).toBe(0);
    expect(await readFile(join(whole.run, "report.html"), "utf8")).toContain("min-SNR");
  });

  test("each of them changes what is learnt, and a caption that changed stops a run from going on", async () => {
    const plain = await weights((await train({})).run);
    for (const [key, value] of Object.entries({ ...ALL, maskOutside: 0, warmup: 2, accumulate: 2 })) {
      if (key === "maskOutside") continue;
      expect([key, Buffer.compare(await weights((await train({ [key]: value })).run), plain) !== 0]).toEqual([
        key,
        true,
      ]);
    }
    const { request } = await train({ captions: "auto" }, { until: atStep(1) });
    await writeFile(join(photos, "1.txt"), "a dog awake\n");
    await expect(runHere(request, { resume: true })).rejects.toThrow(/1\.txt: changed since the run/);
    await writeFile(join(photos, "1.txt"), "a dog asleep\n");
  }, 240_000);
});

test("a batch, and a sum of batches, is the mean of single steps", async () => {
  // losses of the first step, before any update: those of four steps that change nothing, at a rate of next to nothing
  const single = (await story((await train({ learningRate: 1e-30, steps: 4 })).run)).flatMap((event) =>
    event.type === "step" ? [event] : [],
  );
  const mean = (of: (curves: Readonly<Record<string, number>>) => number) =>
    single.reduce((sum, { curves }) => sum + of(curves), 0) / 4;
  for (const how of [{ batch: 4 }, { accumulate: 4 }, { batch: 2, accumulate: 2 }]) {
    const [first] = (await story((await train({ ...how, steps: 1, validateEvery: 1 })).run)).flatMap((event) =>
      event.type === "step" ? [event] : [],
    );
    expect(first.photos).toEqual(single.map(({ photo }) => photo));
    for (const curve of ["loss", "sim", "pref", "label"])
      expect(first.curves[curve]).toBeCloseTo(
        mean((curves) => curves[curve]),
        5,
      );
  }
});

test("methods that learn from rounds take no batches, and those that learn a word make the photos' texts themselves", async () => {
  await expect(train({ method: "kto", batch: 2 })).rejects.toThrow("learns from one photo a step");
  for (const more of [{ captions: "auto" }, { maskedLoss: true }] as const)
    await expect(train({ method: "custom", ...more })).rejects.toThrow(
      "learns a word, from photos and texts of its own",
    );
});

test("a run whose rate falls to 0 at its last step is given no more", async () => {
  const { run } = await train({ schedule: "cosine" });
  const { code, stderr } = await rpo(["train", "--resume", "--output", run, "--steps", "6"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("cannot end as one of more steps") as string]);
});

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readImage } from "../../src/images/read.ts";
import { readEvents } from "../../src/runs/folder.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { rpo, SDXL, temporaryFolder, trainingArgs } from "./cli.ts";
import { IS_THOROUGH, some } from "../thorough.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** Trainings on photos in buckets of the tiny models: sides of 8 to 32 pixels in steps of 4. */

const SHAPES = [
  [60, 36],
  [36, 60],
  [48, 48],
  [66, 39],
  [96, 32],
] as const;

async function photosOf(shapes: readonly (readonly [width: number, height: number])[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const [i, [width, height]] of shapes.entries()) {
    const dot = `<circle cx="${width / 2}" cy="${height / 2}" r="10" fill="#c82"/>`;
    const svg = `<svg width="${width}" height="${height}"><rect width="100%" height="100%" fill="rgb(${40 * i + 20}, ${200 - 30 * i}, 90)"/>${dot}</svg>`;
    await sharp(Buffer.from(svg))
      .png()
      .toFile(join(folder, `${i}.png`));
  }
  return folder;
}

const photos = await photosOf(SHAPES);
const half = Buffer.from(
  '<svg width="60" height="36"><rect width="60" height="36"/><rect width="20" height="36" fill="#fff"/></svg>',
);
await sharp(half).flatten().png().toFile(join(photos, "0.mask.png"));
const prompts = join(photos, "prompts.json");
await writeFile(
  prompts,
  JSON.stringify({ training: ["a {token} {class} on the Moon"], validation: ["a {token} {class} in the snow"] }),
);

const story = async (run: string) =>
  (await readEvents(run))
    .filter(({ type }) => type !== "start" && type !== "stop")
    .map((event) => (event.type === "step" ? { ...event, seconds: 0 } : event));
const weights = (run: string) => readFile(join(run, "checkpoints", "000004", "adapter_model.safetensors"));
const train = async (more: Partial<TrainRequest>, until?: Parameters<typeof runHere>[1]) => {
  const request = await shortRequest(photos, { prompts, crop: "bucket", ...more });
  const result = await runHere(request, until);
  return { request, result, run: request.output };
};
const startOf = async (run: string) => {
  const start = (await readEvents(run)).find((event) => event.type === "start");
  return start?.photos ?? [];
};

describe("with buckets, masks, mirrored photos and batches", () => {
  const ALL = { flip: true, maskedLoss: true, batch: 2, accumulate: 2 } as const;
  const uninterrupted = train(ALL);

  test.each(some([1, 3], 2, 1))(
    "a run that was stopped after step %i ends as if it had not been",
    async (step) => {
      const whole = await uninterrupted;
      const stopped = await train(ALL, { until: atStep(step) });
      expect(stopped.result.reason).toBe("interrupted");
      expect((await runHere(stopped.request, { resume: true })).reason).toBe("steps");
      expect(await weights(stopped.run)).toEqual(await weights(whole.run));
      expect(await story(stopped.run)).toEqual(await story(whole.run));
    },
    240_000,
  );

  test("the log, the run's pictures and the report say each photo's bucket, and batches are of one", async () => {
    const { run } = await uninterrupted;
    const start = await startOf(run);
    expect(start.map(({ bucket }) => bucket && [bucket.width, bucket.height])).toEqual([
      [20, 12],
      [12, 20],
      [16, 16],
      [20, 12],
      [24, 8],
    ]);
    // 66:39 is cut to 5:3
    expect(start[3].bucket?.cut).toBeCloseTo(1 - 5 / 3 / (66 / 39), 12);
    expect(start[0].bucket?.cut).toBe(0);
    for (const { image, bucket } of start) {
      const { width, height } = await readImage(join(run, image));
      expect([width, height]).toEqual([bucket?.width, bucket?.height]);
    }
    const nameOf = (photo: number) => `${start[photo].bucket?.width} x ${start[photo].bucket?.height}`;
    let mixed = 0;
    for (const event of await readEvents(run)) {
      if (event.type !== "step") continue;
      const buckets = (event.photos ?? []).map(nameOf);
      expect(buckets).toHaveLength(4);
      expect([buckets[1], buckets[3]]).toEqual([buckets[0], buckets[2]]);
      if (buckets[0] !== buckets[2]) mixed++;
    }
    expect(mixed).toBeGreaterThan(0);
    const { code, stderr } = await rpo(["report", run]);
    expect(code, stderr).toBe(0);
    expect(await readFile(join(run, "report.html"), "utf8")).toContain("20 x 12, 2 % cut off");
  }, 240_000);
});

test("where all photos are squares a run with buckets is the run without, to the last bit", async () => {
  const images = await photosOf([
    [48, 48],
    [40, 40],
    [50, 48],
  ]);
  const [plain, buckets] = [await train({ images, crop: "center", batch: 2 }), await train({ images, batch: 2 })];
  expect(await weights(buckets.run)).toEqual(await weights(plain.run));
  expect(await story(buckets.run)).toEqual(await story(plain.run));
});

test("SDXL trains in buckets, with sizes of the photos' own, and with little memory", async () => {
  const { run } = await train({ model: SDXL, memory: "low", steps: 3 });
  const losses = (await readEvents(run)).flatMap((event) => (event.type === "step" ? [event.curves["sim"]] : []));
  expect(losses).toHaveLength(3);
  expect(losses.every(Number.isFinite)).toBe(true);
  if (!IS_THOROUGH) return;
  // that of a square is not told where the photo is from without buckets
  const images = await photosOf([[48, 48]]);
  const of = async (crop: "bucket" | "center") => (await train({ model: SDXL, images, crop, method: "preserve" })).run;
  expect(await weights(await of("bucket"))).not.toEqual(await weights(await of("center")));
}, 240_000);

const OTHERS = ["dreambooth", "preserve", "dpo", "kto", "advantage", "sfo", "inversion"] as const;

test.each(some(OTHERS, 4, 2))(
  "%s trains on photos in buckets",
  async (method) => {
    const rounds = { roundEvery: 2, roundPictures: 2 };
    const { result, run } = await train({ method, steps: 3, classPictures: 1, ...rounds });
    expect(result.reason).toBe("steps");
    expect((await startOf(run)).every(({ bucket }) => bucket !== undefined)).toBe(true);
  },
  120_000,
);

/** The values of a curve, step by step. */
async function measured({ run }: { readonly run: string }, curve: string): Promise<(number | undefined)[]> {
  const events = await readEvents(run);
  return events.flatMap((event) => (event.type === "step" ? [event.curves[curve]] : []));
}

test("rules that watch a loss measure photos in their buckets, and the one that is held out in its own", async () => {
  const watched = { stopEvery: 1, stopWindow: 3, earlyStopping: true } as const;
  for (const more of [{ stop: "variance" }, { stop: "held-out", holdOut: "4.png" }] as const) {
    const curve = more.stop === "variance" ? "fixed" : "heldOut";
    const [first] = await measured(await train({ ...watched, ...more }), curve);
    expect(first).toBeGreaterThan(0);
    const [square] = await measured(await train({ ...watched, ...more, crop: "center" }), curve);
    expect(first).not.toBe(square);
  }
}, 120_000);

test("what cannot be in buckets is refused in a line", async () => {
  await expect(train({ method: "custom" })).rejects.toThrow(
    "crop bucket: method custom frames photos in squares; use crop center",
  );
  await expect(train({ method: "sfo", positives: "photos" })).rejects.toThrow(
    "crop bucket: method sfo has one noise for a photo and its negative, which need one shape for it; use crop center",
  );
  const output = join(await temporaryFolder(), "run");
  // of the embedded model's sides, in steps of 16
  const small = [
    "train",
    "--images",
    photos,
    "--class",
    "dog",
    "--output",
    output,
    "--crop",
    "bucket",
    "--resolution",
    "16",
  ];
  const { code, stderr } = await rpo([...small, "--yes"]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining("in steps of 16 pixels --resolution 16 has no shape but the square") as string,
  ]);
  const wrong = await rpo([...trainingArgs(photos), "--output", output, "--crop", "buckets"]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("expected center, none or bucket") as string]);
  const judged = await rpo([
    "judge",
    "--checkpoints",
    photos,
    "--images",
    photos,
    "--class",
    "dog",
    "--crop",
    "bucket",
  ]);
  expect([judged.code, judged.stderr]).toEqual([2, expect.stringContaining("expected center or none") as string]);
});

test("a plan lists each photo's bucket, and what is cut off", async () => {
  const output = join(await temporaryFolder(), "run");
  const few = ["--steps", "2", "--validation-images", "1", "--sampler-steps", "2", "--negatives", "1"];
  const args = [
    ...trainingArgs(photos),
    ...few,
    "--prompts",
    prompts,
    "--output",
    output,
    "--crop",
    "bucket",
    "--dry-run",
  ];
  const { code, stdout, stderr } = await rpo(args);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^Buckets of the photos$/m);
  expect(stdout).toMatch(/^ {2}3\.png {2}20 x 12, 2 % cut off$/m);
  expect(stdout).toMatch(/^ {2}ref\.noisy +1 x 4 x 8 x 8$/m);
  expect(stderr).toContain("photos in buckets, width x height: 2 of 20 x 12,");
});

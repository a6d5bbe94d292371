import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkpointPath } from "../runs/folder.ts";
import { TRAIN_DEFAULTS } from "../settings/train-settings.ts";
import type { PlannedSubject } from "./plan.ts";
import type { SettingsOf } from "./tasks/settings.ts";
import { trained, type Need, type RunSource } from "./trainings.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-trainings-"));
});
afterEach(() => rm(root, { recursive: true }));

const RPO = { from: "run", trainedBy: "rpo", preference: true, pick: "best" } as const;
const PHOTOS_ALONE = { ...RPO, preference: false, pick: "last" } as const;

const subject = {
  ...{ name: "dog", class: "dog", folder: "photos", prompts: [] },
  training: {
    ...{ ...TRAIN_DEFAULTS, model: "model", reward: "reward", images: "photos", class: "dog" },
    ...{ steps: 80, validateEvery: 20, patience: 2 },
  },
} as PlannedSubject;
const hashes = { model: "", reward: "", judges: {}, prompts: {}, imageEncoders: {}, photos: { dog: {} } };

/**
 * Trainings on a machine where a step of RPO takes 3 seconds and one on the photos alone 1. RPO is best at step 20, so that it stops at 60,
 * after 180 seconds. All checkpoints are kept, or the last alone.
 */
function machine({ keeps = "all" }: { keeps?: "all" | "last" } = {}) {
  const asked: string[] = [];
  const need = (async (_kind, key, settings) => {
    const { preference, steps } = settings as SettingsOf<"train">;
    asked.push(`${preference ? "rpo" : "l-sim"} ${steps}`);
    const run = join(root, Buffer.from(JSON.stringify(key)).toString("hex").slice(-24) + String(steps));
    const validations = [];
    for (let step = 0; step <= steps; step += 20) {
      const align = step === 20 ? 0.9 : 0.5;
      validations.push({ step, seconds: (preference ? 3 : 1) * step, images: [{ alignI: align, alignT: align }] });
      if (step > 0 && (keeps === "all" || step === steps))
        await mkdir(join(run, checkpointPath(step)), { recursive: true });
    }
    return { result: { validations, peakBytes: 2e9 }, folder: run };
  }) as Need;
  const row = async (source: RunSource, lambda: number | null, budget?: number | "rpo") =>
    trained({ source, lambda, ...(budget !== undefined && { budget }) }, { subject, seed: 0, hashes, need });
  return { asked, row };
}

test("at RPO's seconds, RPO's own row is what it is at equal steps, and no training is made for it", async () => {
  const { asked, row } = machine();
  const { run, ...whole } = await row(RPO, 0.5);
  expect(whole).toEqual({ checkpoint: 20, steps: 60, seconds: 180, memory: 2 });
  expect(await row(RPO, 0.5, "rpo")).toEqual({ run, ...whole });
  expect(new Set(asked)).toEqual(new Set(["rpo 80"]));
});

test("a training whose steps ended before the seconds were over is made again with as many steps as they allow", async () => {
  const { asked, row } = machine();
  expect(await row(PHOTOS_ALONE, null)).toMatchObject({ checkpoint: 80, seconds: 80 });
  expect(await row(PHOTOS_ALONE, null, "rpo")).toMatchObject({ checkpoint: 180, steps: 180, seconds: 180 });
  expect(asked).toContain("l-sim 180");
  // to the next validation, of which the last within the seconds counts
  expect(await row(PHOTOS_ALONE, null, 130)).toMatchObject({ checkpoint: 120, seconds: 120 });
  expect(asked).toContain("l-sim 140");
});

test("a training that takes longer than the seconds gives the checkpoint that it had by then", async () => {
  const { asked, row } = machine();
  expect(await row({ ...RPO, pick: "last" }, null, 100)).toMatchObject({ checkpoint: 20, steps: 20, seconds: 60 });
  expect(await row(PHOTOS_ALONE, null, 50)).toMatchObject({ checkpoint: 40, seconds: 40 });
  expect(await row(PHOTOS_ALONE, null, 10)).toMatchObject({ checkpoint: 0, steps: 0, seconds: 0 });
  expect(new Set(asked)).toEqual(new Set(["rpo 80", "l-sim 80"]));
});

test("a checkpoint that was not kept is trained for by itself", async () => {
  const { asked, row } = machine({ keeps: "last" });
  const cut = await row(PHOTOS_ALONE, null, 50);
  expect(cut).toMatchObject({ checkpoint: 40, seconds: 40 });
  expect(asked).toContain("l-sim 40");
  expect(cut.run).toMatch(/40$/);
});

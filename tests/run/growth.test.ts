import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configHashes, growConfig, readRunConfig } from "../../src/runs/config.ts";
import { chosenSteps } from "../../src/reward/choice.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { scaleOfLog } from "../../src/runs/scale.ts";
import { checkSaved } from "../../src/runs/saved.ts";
import { readProgress } from "../../src/runs/state.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { thaw } from "../frozen/frozen.ts";
import { makePhotos, rpo } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";
import { some } from "../thorough.ts";

/** A run that is given more steps ends as the run that was begun for them. */

const photos = await makePhotos(2);
const LONG = 6;
type More = Partial<TrainRequest>;

/** Everything that a run leaves behind but times, the state's own marks and the record of how it grew. */
async function outcome(run: string) {
  const files = (await readdir(run, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(run.length + 1))
    .filter((name) => !/^(events\.jsonl|config\.json|state.*)$/.test(name))
    .sort();
  const contents = await Promise.all(files.map((file) => readFile(join(run, file), "base64")));
  const { settings } = await readRunConfig(run);
  const events = (await readEvents(run))
    .filter(({ type }) => type !== "start")
    .map((event) => (event.type === "step" ? { ...event, seconds: 0 } : event));
  return {
    files: Object.fromEntries(files.map((file, i) => [file, contents[i]])),
    events,
    settings: { ...settings, output: "" },
  };
}

/** Starting pictures come late in the log of a run that needed more of them when it grew. */
const early = ({ events, ...rest }: Awaited<ReturnType<typeof outcome>>) => ({
  ...rest,
  pictures: events.filter(({ type }) => type === "starting-picture"),
  events: events.filter(({ type }) => type !== "starting-picture"),
});

const whole = new Map<string, Promise<Awaited<ReturnType<typeof outcome>>>>();
/** The run that was begun for all steps. */
async function long(more: More) {
  const key = JSON.stringify(more);
  const begun =
    whole.get(key) ??
    (async () => {
      const request = await shortRequest(photos, { steps: LONG, ...more });
      await runHere(request);
      return outcome(request.output);
    })();
  whole.set(key, begun);
  return begun;
}

const GROWN: readonly [string, number, More][] = [
  ["finished where the longer run validates too", 4, {}],
  ["finished between two validations of the longer run", 3, {}],
  ["that trains a whole U-Net", 4, { adapter: "full" }],
  ["with early stopping that has not come yet", 4, { earlyStopping: true, patience: 2 }],
  ["with class pictures of its own", 3, { method: "dreambooth", classPictures: 5 }],
  ["with rounds of its own pictures", 4, { method: "dpo", roundEvery: 2, roundPictures: 2 }],
];

describe.each(some(GROWN, 2, 1))("a run %s", (_name, steps, more) => {
  test(
    `of ${steps} steps that is given ${LONG} ends as one of ${LONG}, bit for bit`,
    { timeout: 180_000 },
    async () => {
      const request = await shortRequest(photos, { steps, ...more });
      expect((await runHere(request)).reason).toBe("steps");
      const { reason, estimate } = await runHere({ ...request, steps: LONG }, { resume: true });
      expect(reason).toBe("steps");
      expect(estimate?.steps).toBe(LONG - steps);
      expect(early(await outcome(request.output))).toEqual(early(await long(more)));
      expect((await readRunConfig(request.output)).grownFrom).toEqual([steps]);
      await checkSaved(request.output);
      expect((await runHere({ ...request, steps: LONG }, { resume: true })).reason).toBe("finished-before");
    },
  );
});

test("a run that was interrupted may grow, and one that has grown may be interrupted and grow again", async () => {
  const request = await shortRequest(photos, { steps: 3 });
  await runHere(request, { until: atStep(1) });
  expect((await runHere({ ...request, steps: 5 }, { resume: true, until: atStep(4) })).reason).toBe("interrupted");
  expect((await runHere({ ...request, steps: 5 }, { resume: true })).step).toBe(5);
  await runHere({ ...request, steps: LONG }, { resume: true });
  expect(early(await outcome(request.output))).toEqual(early(await long({})));
  expect((await readRunConfig(request.output)).grownFrom).toEqual([3, 5]);
});

test("a run that is killed while it grows goes on as the longer one, whatever was written by then", async () => {
  const short = await shortRequest(photos, { steps: 3 });
  await runHere(short);
  // after config.json, before the state
  const killed = await shortRequest(photos, { steps: 3 });
  await cp(short.output, killed.output, { recursive: true });
  await growConfig(killed.output, LONG);
  expect(await configHashes(killed.output)).toContain((await readProgress(killed.output))?.configHash);
  await checkSaved(killed.output);
  const { code, stderr } = await rpo(["train", "--resume", "--output", killed.output]);
  expect(code, stderr).toBe(0);
  expect(early(await outcome(killed.output))).toEqual(early(await long({})));
});

describe("rpo train --resume --steps", () => {
  test("trains on, says less than the run's by its number, and what another setting would be", async () => {
    const request = await shortRequest(photos, { steps: 2 });
    await runHere(request);
    const resume = (...more: string[]) => rpo(["train", "--resume", "--output", request.output, ...more]);
    const fewer = await resume("--steps", "1");
    expect([fewer.code, fewer.stderr]).toEqual([
      2,
      expect.stringContaining("--steps 1 is less than the run's 2, which can only grow"),
    ]);
    const other = await resume("--steps", "4", "--lr", "0.5");
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("--lr 0.5 differs from the run's")]);
    expect((await readRunConfig(request.output)).settings.steps).toBe(2);
    const { code, stderr } = await resume("--steps", String(LONG));
    expect(code, stderr).toBe(0);
    expect(early(await outcome(request.output))).toEqual(early(await long({})));
  });

  test("of a run that stopped early is refused: more steps would not have changed that", async () => {
    const request = await shortRequest(photos, {
      steps: LONG,
      validateEvery: 1,
      earlyStopping: true,
      patience: 1,
      learningRate: 1,
    });
    expect((await runHere(request)).reason).toBe("patience");
    await expect(runHere({ ...request, steps: 8 }, { resume: true })).rejects.toThrow(
      /ended at step \d because its reward no longer rose/,
    );
  });

  test("of a whole U-Net is refused when a checkpoint is gone that the longer run would have chosen", async () => {
    const request = await shortRequest(photos, { steps: 4, adapter: "full" });
    await runHere(request);
    const events = await readEvents(request.output);
    const validations = events.filter((event) => event.type === "validation");
    const [step] = [...chosenSteps(validations, request, scaleOfLog("harmonic", events))].filter((each) => each > 0);
    expect(step).toBeDefined();
    await rm(join(request.output, "checkpoints", String(step).padStart(6, "0")), { recursive: true });
    const growing = runHere({ ...request, steps: LONG }, { resume: true });
    await expect(growing).rejects.toThrow(
      `has removed the checkpoint of step ${step}, which a longer run would have chosen`,
    );
  });

  test("from a state that was damaged since is refused, by the file's name", async () => {
    const request = await shortRequest(photos, { steps: 2 });
    await runHere(request);
    const path = join(request.output, "state.safetensors");
    const state = await readFile(path);
    state[state.length - 5] ^= 1;
    await writeFile(path, state);
    const growing = runHere({ ...request, steps: LONG }, { resume: true });
    await expect(growing).rejects.toThrow(`${path}: damaged: its content is not what was saved`);
  });

  test("in the middle of a round that steps are compared with is refused", async () => {
    const more = { method: "dpo", roundEvery: 2, roundPictures: 2, roundReference: "round" } as const;
    const request = await shortRequest(photos, { steps: 3, ...more });
    await runHere(request);
    await expect(runHere({ ...request, steps: LONG }, { resume: true })).rejects.toThrow("the round of step 2");
    expect((await readRunConfig(request.output)).settings.steps).toBe(3);
  });

  test("goes on with a run that an earlier version wrote", { timeout: 120_000 }, async () => {
    const run = join(await thaw("before-house", "lora"), "lora");
    const { code, stderr } = await rpo(["train", "--resume", "--output", run, "--steps", "8", "--yes"]);
    expect(code, stderr).toBe(0);
    const events = await readEvents(run);
    expect(events.filter(({ type }) => type === "step")).toHaveLength(8);
    expect(events.filter(({ type }) => type === "stop")).toEqual([{ type: "stop", step: 8, reason: "steps" }]);
  });
});

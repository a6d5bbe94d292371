import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { ProgressEvent, RunEvent } from "../../src/runs/events.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { checkSaved } from "../../src/runs/saved.ts";
import { checkpointSteps } from "../../src/runs/checkpoints.ts";
import { keepCheckpoint } from "../../src/runs/selection.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { makePhotos } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** A run that validates out of turn, because somebody asked for it, is otherwise the run that does not. */

const photos = await makePhotos(2);
/** Its own validations are after 0, 2 and 4 steps. */
const newRequest = () => shortRequest(photos, { earlyStopping: true, patience: 3 });
const OUT_OF_TURN = /(?:checkpoints\/|validation-)00000[13]/;

const filesOf = async (run: string) =>
  (await readdir(run, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(run.length + 1))
    .sort();

/** What a run learnt and chose from, without what is out of turn. */
async function outcome(run: string) {
  const files = (await filesOf(run)).filter(
    (name) => /^(?:checkpoints|images)\//.test(name) && !OUT_OF_TURN.test(name),
  );
  const contents = await Promise.all(files.map((file) => readFile(join(run, file), "base64")));
  const events = (await readEvents(run))
    .filter(({ type }) => type !== "start" && type !== "best")
    .filter((event) => !(event.type === "validation" && event.extra === true))
    .map((event) => (event.type === "step" ? { ...event, seconds: 0 } : event));
  return { files: Object.fromEntries(files.map((file, i) => [file, contents[i]])), events };
}

const extrasOf = async (run: string) =>
  (await readEvents(run)).flatMap((event) => (event.type === "validation" && event.extra === true ? [event.step] : []));

let plain: Awaited<ReturnType<typeof outcome>>;
beforeAll(async () => {
  const request = await newRequest();
  await runHere(request);
  plain = await outcome(request.output);
}, 120_000);

/** Asks after some steps, and once more while each validation out of turn is drawn. */
function asking(...steps: readonly number[]) {
  let [asked, answered, step] = [0, 0, 0];
  return {
    extra: { isAsked: () => asked !== answered, answered: () => (answered = asked) },
    hear: (event: RunEvent | ProgressEvent): void => {
      if (event.type === "step") ({ step } = event);
      const isDrawing = event.type === "progress" && event.phase === "validation" && steps.includes(step);
      if ((event.type === "step" && steps.includes(step)) || isDrawing) asked++;
    },
  };
}

test("what it learns, draws and decides is the same bit for bit; the validation has a checkpoint and may be kept", async () => {
  const request: TrainRequest = await newRequest();
  const { extra, hear } = asking(1, 3);
  const until = (event: RunEvent | ProgressEvent) => {
    hear(event);
    return false;
  };
  expect((await runHere(request, { until, extra })).reason).toBe("steps");
  expect(await extrasOf(request.output)).toEqual([1, 3]);
  expect(await outcome(request.output)).toEqual(plain);
  expect((await checkpointSteps(request.output)).sort()).toEqual([1, 2, 3, 4]);
  await keepCheckpoint(request.output, { step: 3 });
  await checkSaved(request.output);
}, 120_000);

test("stopped before and in the midst of it, the run goes on to the same end, and nothing of what was begun is left", async () => {
  const request = await newRequest();
  const { extra, hear } = asking(1, 3);
  let step = 0;
  const until = (event: RunEvent | ProgressEvent) => {
    hear(event);
    if (event.type === "step") ({ step } = event);
    return step === 3 && event.type === "progress" && event.phase === "validation" && event.done > 0;
  };
  const { reason } = await runHere(request, { until, extra });
  expect([reason, await extrasOf(request.output)]).toEqual(["interrupted", [1]]);
  // as a kill leaves it that comes before the validation is in a saved log
  const at = (folder: string, step: string) => join(request.output, folder.replace("STEP", step));
  for (const folder of ["checkpoints/STEP", "images/validation-STEP-00-0.png"])
    await cp(at(folder, "000001"), at(folder, "000003"), { recursive: true });
  await runHere(request, { resume: true });
  expect(await extrasOf(request.output)).toEqual([1]);
  expect(await outcome(request.output)).toEqual(plain);
  expect((await filesOf(request.output)).some((name) => name.includes("000003"))).toBe(false);
}, 120_000);

test("asked for while a run that goes on is loaded, it is done where the run stands", async () => {
  const request = await newRequest();
  await runHere(request, { until: atStep(3) });
  const { extra } = asking();
  await runHere(request, { resume: true, extra: { ...extra, isAsked: onlyOnce() } });
  expect(await extrasOf(request.output)).toEqual([3]);
  expect(await outcome(request.output)).toEqual(plain);
}, 120_000);

function onlyOnce(): () => boolean {
  let isAsked = true;
  return () => {
    const now = isAsked;
    isAsked = false;
    return now;
  };
}

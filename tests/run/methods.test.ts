import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as METHODS from "../../src/methods/index.ts";
import { readReport } from "../../src/report/read.ts";
import { renderReport } from "../../src/report/render.ts";
import { readRunConfig } from "../../src/runs/config.ts";
import type { ProgressEvent, RunEvent } from "../../src/runs/events.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { valuesOf, type Setting } from "../../src/settings/setting.ts";
import type { MethodEntry } from "../../src/settings/method-entry.ts";
import type { TrainSettings } from "../../src/settings/train-settings.ts";
import { Random } from "../../src/tensor/random.ts";
import { openSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { makePhotos, root, temporaryFolder } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";
import { some } from "../thorough.ts";

/** Every method trains, is stopped anywhere, and goes on to the same end. */

/** Two rounds, at step 0 and between the steps that a run is stopped after. */
const ROUNDS = { roundEvery: 2, roundPictures: 2 } as const;
/** Reads photos; its pictures are as small as it is. */
const CLIP = await clipOfWidth(32);
const photos = await makePhotos(2);
const names = Object.keys(METHODS) as TrainSettings["method"][];
const request = (method: TrainSettings["method"]) =>
  shortRequest(photos, {
    ...{ method, classPictures: 2, ...ROUNDS },
    ...((METHODS[method] as MethodEntry).readsPhotos === true && { imageEncoder: CLIP }),
  });

/** A CLIP whose features have as many numbers as the model's texts. */
async function clipOfWidth(width: number): Promise<string> {
  const folder = await temporaryFolder();
  const golden = join(root, "tests/golden/models/clip");
  const config = JSON.parse(await readFile(join(golden, "config.json"), "utf8")) as object;
  await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, projection_dim: width }));
  const file = await openSafetensors(join(golden, "model.safetensors"));
  const tensors = [...file.tensors.keys()].map(async (name) => {
    const tensor = await file.read(name);
    const isProjection = name.endsWith("_projection.weight");
    return { name, tensor: isProjection ? new Random(0).split(name).normal([width, tensor.shape[1]]) : tensor };
  });
  await writeSafetensors(join(folder, "model.safetensors"), await Promise.all(tensors));
  const size = { height: 22, width: 22 };
  await writeFile(
    join(folder, "preprocessor_config.json"),
    JSON.stringify({ image_processor_type: "CLIPImageProcessor", size: { shortest_edge: 22 }, crop_size: size }),
  );
  return folder;
}

/** The tensors of a run's last checkpoint, by their files. */
const checkpoint = async (run: string) => {
  const folder = join(run, "checkpoints", "000004");
  const files = (await readdir(folder)).filter((name) => /\.(safetensors|pt)$/.test(name));
  expect(files.length).toBeGreaterThan(0);
  return Promise.all(files.map(async (name) => [name, await readFile(join(folder, name))] as const));
};
/** What a run has done, but for the time it took. */
const story = async (run: string) =>
  (await readEvents(run))
    .filter(({ type }) => type !== "start" && type !== "stop")
    .map((event) => (event.type === "step" ? { ...event, seconds: 0 } : event));

/** The run of a method that nothing stops, made once. */
const wholeRun = once((method: TrainSettings["method"]) => request(method));
const wholeRoundRun = once(async (method: TrainSettings["method"]) => ({
  ...(await request(method)),
  roundReference: "round" as const,
}));

function once(asked: (method: TrainSettings["method"]) => ReturnType<typeof request>) {
  const made = new Map<TrainSettings["method"], Promise<string>>();
  const make = async (method: TrainSettings["method"]): Promise<string> => {
    const whole = await asked(method);
    await runHere(whole);
    return whole.output;
  };
  return (method: TrainSettings["method"]): Promise<string> => {
    const run = made.get(method) ?? make(method);
    made.set(method, run);
    return run;
  };
}

/** Where a run is stopped: each method in one of these places; in all of them one after the other with RPO_TESTS=all. */
const STOPS: readonly { readonly where: string; readonly until: (event: RunEvent | ProgressEvent) => boolean }[] = [
  { where: "after step 3", until: atStep(3) },
  {
    where: "before its first step",
    until: (event) => event.type === "starting-picture" || event.type === "validation",
  },
  { where: "after step 1", until: atStep(1) },
];

describe.each(names)("method %s", (method) => {
  test("shows the curves that its report has charts of, and the pictures that it drew", async () => {
    const output = await wholeRun(method);
    const { settings } = await readRunConfig(output);
    expect(settings.method).toBe(method);
    const { report }: MethodEntry = METHODS[method];
    const events = await readEvents(output);
    const steps = events.filter((event) => event.type === "step");
    for (const { curve } of report.charts(valuesOf(settings)))
      for (const { curves } of steps) expect(curves).toHaveProperty(curve);
    for (const { photo } of steps) expect(photo).toBeLessThan(2);
    const drawn = events.flatMap((event) => (event.type === "starting-picture" ? [event.image] : []));
    for (const { startingPicture } of steps)
      if (startingPicture !== undefined) expect(drawn).toContain(startingPicture);
    expect(drawn.length > 0).toBe(report.startingPictures !== undefined);
    const rounds = events.filter((event) => event.type === "round");
    expect(rounds.map(({ step }) => step)).toEqual(report.rounds === undefined ? [] : [0, 2]);
    for (const { step, roundPictures = [] } of steps)
      for (const path of roundPictures) expect(path).toContain(step > 2 ? "round-000002" : "round-000000");

    const page = renderReport(await readReport(output, { now: new Date(0) }), { style: "", script: "" });
    expect(page).toContain(report.title(valuesOf(settings)));
    if (report.rounds !== undefined) expect(page).toContain(report.rounds(valuesOf(settings)).title);
    if (report.startingPictures !== undefined)
      expect(page).toContain(report.startingPictures(valuesOf(settings)).title);
  });

  const places = some(STOPS, STOPS.length, names.indexOf(method));
  const named = places.map(({ where }) => where).join(", ");
  test(`stopped ${named}, it ends as if it had not been stopped`, async () => {
    const whole = await wholeRun(method);
    const stopped = await request(method);
    for (const [i, { until }] of places.entries())
      expect((await runHere(stopped, { until, resume: i > 0 })).reason).toBe("interrupted");
    expect((await runHere(stopped, { resume: true })).reason).toBe("steps");
    expect(await checkpoint(stopped.output)).toEqual(await checkpoint(whole));
    expect(await story(stopped.output)).toEqual(await story(whole));
  });
});

const WITH_ROUNDS = names.filter((name) => (METHODS[name] as MethodEntry).report.rounds !== undefined);

describe.each(some(WITH_ROUNDS, 2, 1))("method %s", (method) => {
  test("compared with itself at the round's start and stopped in the middle of a round, it ends as if it had not been stopped, and begins each round undecided", async () => {
    const whole = await wholeRoundRun(method);
    const stopped = { ...(await request(method)), roundReference: "round" as const };
    expect((await runHere(stopped, { until: atStep(3) })).reason).toBe("interrupted");
    expect((await runHere(stopped, { resume: true })).reason).toBe("steps");
    expect(await checkpoint(stopped.output)).toEqual(await checkpoint(whole));
    expect(await story(stopped.output)).toEqual(await story(whole));
    const first = (await readEvents(whole)).filter((event) => event.type === "step")[2].curves;
    const compared = [first["margin"], first["gain"], first["ratio"] === undefined ? undefined : first["ratio"] - 1];
    const known = compared.filter((value) => value !== undefined);
    expect(known).toHaveLength(1);
    expect(Math.abs(known[0])).toBeLessThan(1e-6);
  });
});

describe.each(some(WITH_ROUNDS, 2))("method %s", (method) => {
  test("stopped while a round is drawn, it draws it again", async () => {
    const whole = await wholeRun(method);
    const stopped = await request(method);
    let steps = 0;
    const until = (event: RunEvent | ProgressEvent) => {
      if (event.type === "step") steps = event.step;
      return steps === 2 && event.type === "progress" && event.phase === "drawing" && event.done > 0;
    };
    expect(await runHere(stopped, { until })).toMatchObject({ reason: "interrupted", step: 2 });
    expect((await readEvents(stopped.output)).filter(({ type }) => type === "round")).toHaveLength(1);
    expect((await runHere(stopped, { resume: true })).reason).toBe("steps");
    expect(await story(stopped.output)).toEqual(await story(whole));
  });

  test("does not go on when a picture of its round is no longer what it drew", async () => {
    const stopped = await request(method);
    await runHere(stopped, { until: atStep(3) });
    const last = (await readEvents(stopped.output)).filter((event) => event.type === "round").at(-1);
    const image = last?.images[0].image ?? "";
    await copyFile(join(stopped.output, "images/photo-00.png"), join(stopped.output, image));
    await expect(runHere(stopped, { resume: true })).rejects.toThrow(
      `${image}: not what the run drew at step 2; put it back, or start a new run`,
    );
  });
});

test("config.json has the settings of the run's own method, and no other's", { timeout: 300_000 }, async () => {
  for (const method of names) {
    const output = await wholeRun(method);
    const asked = await request(method);
    const config = JSON.parse(await readFile(join(output, "config.json"), "utf8")) as object;
    const own = new Set(Object.keys(METHODS[method].settings));
    for (const { settings } of Object.values(METHODS))
      for (const [key, { absent }] of Object.entries<Setting>(settings))
        expect([key, key in config]).toEqual([key, own.has(key) && (absent === undefined || key in asked)]);
  }
});

test("a CLIP whose features have another width than the model's texts is refused before anything is drawn", async () => {
  for (const width of [24, 40]) {
    const asked = shortRequest(photos, { method: "disenbooth", imageEncoder: await clipOfWidth(width) });
    await expect(runHere(await asked)).rejects.toThrow(
      new RegExp(`its features have ${width} numbers, the model's texts 32; Stable Diffusion 1.x takes openai`),
    );
  }
});

import { appendFile, cp, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { readReport } from "../../src/report/read.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { selectCheckpoint } from "../../src/runs/selection.ts";
import { repairRun } from "../../src/runs/repair.ts";
import { UsageError } from "../../src/system/errors.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { eventsOf, makePhotos, temporaryFolder } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** What a run saved is not what it finds when it goes on: a disk's fault, or somebody's hand. */

const photos = await makePhotos(2);
const stoppedRuns: Record<string, string> = {};
let whole = "";
beforeAll(async () => {
  for (const adapter of ["lora", "full"] as const) {
    const request = await shortRequest(photos, { adapter });
    await runHere(request, { until: atStep(3) });
    stoppedRuns[adapter] = request.output;
  }
  const request = await shortRequest(photos);
  await runHere(request);
  whole = request.output;
}, 120_000);

/** A run that was stopped after its third step of four, validated at the second. */
async function stopped(adapter: "lora" | "full" = "lora"): Promise<TrainRequest> {
  const output = join(await temporaryFolder(), "run");
  await cp(stoppedRuns[adapter], output, { recursive: true });
  return shortRequest(photos, { adapter, output });
}

async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at < 0 ? bytes.length + at : at] ^= 4;
  await writeFile(path, bytes);
}
async function zeroTail(path: string): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0, bytes.length - 4096));
}

async function refusal(request: TrainRequest): Promise<string> {
  const error: unknown = await runHere(request, { resume: true }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).not.toContain("\n");
  return (error as Error).message;
}

test.each<[string, (path: string) => Promise<void>]>([
  ["a zeroed tail", zeroTail],
  ["one bit of a weight flipped", (path) => flipBit(path, -1)],
  ["one bit of the header flipped", (path) => flipBit(path, 100)],
  ["its end missing", async (path) => truncate(path, (await stat(path)).size - 8)],
])(
  "a state with %s is refused; removed, the run goes on from the state before to the same end",
  async (_what, damage) => {
    const request = await stopped();
    const state = join(request.output, "state.safetensors");
    await damage(state);
    const message = await refusal(request);
    expect(message).toContain(`${state}: `);
    expect(message).toContain("goes on from step 2, where it was saved before");
    await rm(state);
    expect((await runHere(request, { resume: true })).reason).toBe("steps");
    expect(await eventsOf(request.output)).toEqual(await eventsOf(whole));
    const weights = "checkpoints/000004/adapter_model.safetensors";
    expect(await readFile(join(request.output, weights))).toEqual(await readFile(join(whole, weights)));
  },
);

test("a damaged state of a full fine-tuning names the newest checkpoint", async () => {
  const request = await stopped("full");
  await flipBit(join(request.output, "state.safetensors"), -1);
  expect(await refusal(request)).toContain(`draw with the newest checkpoint, ${request.output}/checkpoints/000002`);
});

test("a log whose saved part has changed is refused", async () => {
  const request = await stopped();
  const log = join(request.output, "events.jsonl");
  await writeFile(log, (await readFile(log, "utf8")).replace(/"margin":[^,]*/, '"margin":0.25'));
  expect(await refusal(request)).toMatch(/events\.jsonl: its first \d+ bytes are not those of when the run was saved/);
});

test("a report and a choice are not made of a log that has changed, and nothing is removed on its word", async () => {
  const request = await shortRequest(photos, { adapter: "full", steps: 6, validateEvery: 1, learningRate: 5e-2 });
  await runHere(request, { until: atStep(6) });
  const { output } = request;
  const before = await readdir(join(output, "checkpoints"));
  const log = join(output, "events.jsonl");
  await writeFile(log, (await readFile(log, "utf8")).replace(/"alignI":0\.\d+/g, '"alignI":0.5'));
  await expect(readReport(output, { now: new Date() })).rejects.toThrow("are not those of when the run was saved");
  await expect(selectCheckpoint(output, { lambda: 0.5 })).rejects.toThrow("are not those of when the run was saved");
  expect(await readdir(join(output, "checkpoints"))).toEqual(before);
});

test("settings that have changed are refused; places that have moved are not", async () => {
  const request = await stopped();
  const config = join(request.output, "config.json");
  const text = await readFile(config, "utf8");
  await writeFile(config, text.replace('"beta": 1', '"beta": 2'));
  expect(await refusal({ ...request, beta: 2 })).toContain("config.json: its settings are not those");
  await writeFile(config, text.replaceAll(stoppedRuns["lora"], "/elsewhere"));
  expect((await runHere(request, { resume: true })).reason).toBe("steps");
});

test("a negative and a kept photo that are damaged are made again, with the same bytes", async () => {
  const request = await stopped();
  const files = ["images/negative-00-0.png", "images/photo-01.png"].map((name) => join(request.output, name));
  const before = await Promise.all(files.map((file) => readFile(file)));
  await flipBit(files[0], -20);
  await appendFile(files[1], "more");
  await runHere(request, { resume: true });
  expect(await Promise.all(files.map((file) => readFile(file)))).toEqual(before);
  expect(await eventsOf(request.output)).toEqual(await eventsOf(whole));
});

test("a report names the pictures that are no longer what the run wrote, and leaves them out", async () => {
  const { output } = await stopped();
  const negative = (await readEvents(output)).flatMap((event) =>
    event.type === "starting-picture" ? [event.image] : [],
  )[0];
  const damaged = ["images/photo-00.png", negative, "images/validation-000002-00-0.png"];
  for (const name of damaged) await flipBit(join(output, name), -20);
  const view = await readReport(output, { now: new Date() });
  expect([...view.damaged].sort()).toEqual([...damaged].sort());
  expect(damaged.filter((name) => view.pictures.has(name))).toEqual([]);
  expect(view.photos.map(({ picture }) => picture === undefined)).toEqual([true, false]);
});

test("repairing does not reach through links, into another run", async () => {
  const own = await stopped("full");
  const other = await stopped("full");
  const foreign = join(own.output, "checkpoints");
  const received = join(other.output, "checkpoints");
  await rm(received, { recursive: true });
  await symlink(foreign, received);
  await mkdir(join(foreign, "000002.tmp"));
  await writeFile(join(foreign, "000002.tmp", "config.json"), "{}");
  await repairRun(other.output);
  expect(await readdir(foreign)).toContain("000002.tmp");
  await repairRun(own.output);
  expect(await readdir(foreign)).toEqual(["000002"]);
});

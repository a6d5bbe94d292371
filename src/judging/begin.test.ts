import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { startRun } from "../runs/config.ts";
import type { RunEvent, ProgressEvent } from "../runs/events.ts";
import { TRAIN_DEFAULTS, type TrainSettings } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { exists, makeFolder } from "../system/files.ts";
import { lockFolder } from "../system/lock.ts";
import { beginJudging, type Prepared } from "./begin.ts";
import { JUDGE_LOCK } from "./resume.ts";

/** What is said of a run that has several things wrong, and what has happened by then. */

const versions = { rpo: "0", node: "0", onnxruntime: "0", platform: "here" };
const judging = { checkpoints: ["/out"] };
let run = "";
let told: string[] = [];

beforeEach(async () => {
  run = join(await mkdtemp(join(tmpdir(), "rpo-begin-")), "run");
  told = [];
});

const settingsOf = (more: Partial<TrainSettings> = {}): TrainSettings => ({
  ...TRAIN_DEFAULTS,
  model: "/model",
  reward: "/reward",
  images: "/photos",
  class: "dog",
  output: run,
  resolution: 64,
  learningRate: 1e-4,
  threads: 1,
  ...more,
});

interface Beginning {
  readonly settings?: Partial<TrainSettings>;
  readonly photo?: string;
  readonly prepare?: () => Promise<void> | void;
  readonly check?: () => void;
}

/** Begins, noting what was done by when. */
async function begin({ settings, photo = "a", prepare, check }: Beginning = {}) {
  const all = settingsOf(settings);
  const releases: (() => unknown)[] = [];
  const own = <T extends { release: () => unknown }>(resource: T): T => {
    releases.push(() => resource.release());
    return resource;
  };
  const prepared: Prepared = {
    settings: all,
    provenance: { versions, hashes: { "/photos/a.jpg": photo } },
    squares: [],
    closest: {},
  };
  try {
    return await beginJudging(
      { request: all, judging },
      {
        async prepare() {
          told.push("models");
          await prepare?.();
          return prepared;
        },
        check() {
          told.push("files");
          check?.();
          return Promise.resolve();
        },
        measure: () => Promise.resolve(undefined),
      },
      own,
      { emit: (event: RunEvent | ProgressEvent) => void told.push(event.type) },
    );
  } finally {
    for (const release of releases) await release();
  }
}

test("models, then files, then the folder, then the log's first line", async () => {
  await begin({ check: () => void exists(run).then((is) => told.push(is ? "a folder" : "no folder")) });
  expect(told).toEqual(["models", "files", "no folder", "start"]);
  told = [];
  await begin();
  // what goes on begins no log
  expect(told).toEqual(["models", "files"]);
});

test("files that cannot be judged leave no folder", async () => {
  const refuse = () => {
    throw new UsageError("no checkpoint there");
  };
  await expect(begin({ check: refuse })).rejects.toThrow("no checkpoint there");
  expect(await exists(run)).toBe(false);
});

test("a folder that holds a training is named before any model is read, though it is locked", async () => {
  await startRun(settingsOf(), { versions, hashes: {} });
  const release = await lockFolder(run, JUDGE_LOCK);
  await expect(begin()).rejects.toThrow("already holds a training");
  await release();
  expect(told).toEqual([]);
});

test("other settings are named before the lock, and the lock before any model is read", async () => {
  await begin();
  told = [];
  const release = await lockFolder(run, JUDGE_LOCK);
  await expect(begin({ settings: { guidance: 3 } })).rejects.toThrow("it judges with guidance");
  await expect(begin()).rejects.toThrow("another rpo judge works here");
  await release();
  expect(told).toEqual([]);
});

test("a photo that has changed is named before the files are looked at", async () => {
  await begin();
  told = [];
  await expect(begin({ photo: "b" })).rejects.toThrow("/photos/a.jpg: changed since the run");
  expect(told).toEqual(["models"]);
});

test("one that began and ended there while models were read is not written over", async () => {
  const other = async () => {
    await begin();
  };
  await expect(begin({ prepare: other })).rejects.toThrow("began there meanwhile");
  const files = await readdir(run);
  expect(files).toContain("events.jsonl");
  expect(files).not.toContain("lock.json");
});

test("a lock that came while models were read is named, and nothing is written", async () => {
  let release: (() => Promise<void>) | undefined;
  const prepare = async () => {
    await makeFolder(run);
    release = await lockFolder(run, JUDGE_LOCK);
  };
  await expect(begin({ prepare })).rejects.toThrow("another rpo judge works here");
  expect(await readdir(run)).toEqual(["lock.json"]);
  await release?.();
});

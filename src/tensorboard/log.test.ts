import { appendFile, mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { report } from "../methods/rpo/report.ts";
import type { RunEvent } from "../runs/events.ts";
import { saveState } from "../runs/state.ts";
import type { AdamW } from "../nn/adamw.ts";
import { packagePath } from "../system/package.ts";
import { TENSORBOARD_FOLDER } from "./folder.ts";
import { openTensorBoardLog } from "./log.ts";
import { readEventFolder } from "./testing/read.ts";

const PNG = readFileSync(packagePath("tests/golden/tensorboard/pixels.png"));
const NOTHING_TRAINED = {
  parameters: new Map(),
  moments: { first: new Map(), second: new Map() },
  fetch: () => Promise.resolve(),
} as unknown as AdamW;

const step = (n: number): RunEvent => ({
  type: "step",
  step: n,
  curves: { loss: n + 0.75, sim: n + 0.5, pref: 0.25, margin: -n, label: n % 2 },
  gradNorm: 2,
  seconds: 3,
});
const scored = (n: number, place: string, alignI: number, alignT: number) => ({
  ...{ alignI, alignT, image: `images/validation-${pad(n)}-${place}.png` },
});
const validation = (n: number): RunEvent => ({
  type: "validation",
  step: n,
  lambda: 0.5,
  reward: 0.75,
  standardError: 0.125,
  images: [
    { ...{ prompt: "a dog in/on snow", promptIndex: 3, index: 1, seed: 1 }, ...scored(n, "03-1", 0.5, 0.25) },
    { ...{ prompt: "a dog", promptIndex: 4, index: 0, seed: 2 }, ...scored(n, "04-0", 1, 0.75) },
  ],
});
const negative: RunEvent = {
  type: "starting-picture",
  use: "negative",
  prompt: "a dog",
  promptIndex: 0,
  index: 2,
  seed: 1,
  alignT: 0.5,
  image: "images/negative-00-2.png",
};
const start: RunEvent = { type: "start", time: "2026-01-01T00:00:00Z", version: "0.1.0" };

const { tags } = report;
const pad = (n: number) => String(n).padStart(6, "0");

/** A run's folder in which things happen as in a real one: the log first, then the listener. */
async function makeRun() {
  const run = await mkdtemp(join(tmpdir(), "rpo-"));
  await mkdir(join(run, "images"));
  const events = join(run, "events.jsonl");
  let length = 0;
  return {
    run,
    folder: join(run, TENSORBOARD_FOLDER),
    session: async (
      happened: readonly RunEvent[],
      { resume, logged = true }: { resume: boolean; logged?: boolean },
    ): Promise<void> => {
      const log = logged ? await openTensorBoardLog(run, { resume, tags, now: () => 1000 }) : undefined;
      log?.write({ type: "progress", phase: "loading", done: 0, total: 1 });
      if (resume) await truncate(events, length);
      for (const event of happened) {
        const images = event.type === "validation" ? event.images : event.type === "starting-picture" ? [event] : [];
        for (const { image } of images) await writeFile(join(run, image), PNG);
        await appendFile(events, `${JSON.stringify(event)}\n`);
        log?.write(event);
      }
      log?.close();
    },
    save: async (at: number): Promise<void> => {
      length = readFileSync(events).byteLength;
      await saveState(run, NOTHING_TRAINED, { step: at, eventsLength: length, finished: false });
    },
  };
}

/** "step tag" of everything that a reader shows. */
async function shown(folder: string): Promise<string[]> {
  return (await readEventFolder(folder)).map((event) => `${event.step} ${event.tag}`);
}

test("losses, rewards and pictures of a run, each under its step", async () => {
  const { folder, session } = await makeRun();
  const best: RunEvent = { type: "best", step: 4, reward: 0.75 };
  const stop: RunEvent = { type: "stop", step: 4, reason: "steps" };
  await session([start, negative, step(4), validation(4), best, stop], { resume: false });
  const events = await readEventFolder(folder);
  const scalars = events.flatMap(({ tag, scalar, step: at }) => (scalar === undefined ? [] : [[at, tag, scalar]]));
  expect(scalars).toEqual([
    [4, "loss/total", 4.75],
    [4, "loss/sim", 4.5],
    [4, "loss/pref", 0.25],
    [4, "preference/margin", -4],
    [4, "preference/label", 0],
    [4, "training/gradNorm", 2],
    [4, "training/secondsPerStep", 3],
    [4, "reward/mean", 0.75],
    [4, "reward/standardError", 0.125],
    [4, "reward/alignI", 0.75],
    [4, "reward/alignT", 0.5],
    [4, "reward/best", 0.75],
  ]);
  const pictures = events.filter(({ image }) => image !== undefined);
  expect(pictures.map(({ step: at, tag }) => [at, tag])).toEqual([
    [0, "negative/00-2 a dog"],
    [4, "validation/03-1 a dog in/on snow"],
    [4, "validation/04-0 a dog"],
  ]);
  for (const { image } of pictures) expect(Buffer.from(image?.png ?? [])).toEqual(PNG);
});

test("a run that goes on shows every step once, whatever the session before it left", async () => {
  const straight = await makeRun();
  const all = [start, negative, step(1), step(2), validation(2), step(3), step(4)];
  await straight.session(all, { resume: false });

  const broken = await makeRun();
  await broken.session([start, negative, step(1), step(2)], { resume: false });
  await broken.save(2); // interrupted in the validation of step 2: the state has the step, not the validation
  await broken.session([validation(2), step(3)], { resume: true }); // and killed
  const files = (await readdir(broken.folder)).sort();
  await appendFile(join(broken.folder, files[1]), Uint8Array.of(40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5));
  await broken.session([validation(2), step(3), step(4)], { resume: true });
  expect(await readdir(broken.folder)).toHaveLength(3);
  expect(await shown(broken.folder)).toEqual(await shown(straight.folder));
});

test("a run that was killed before its first state begins anew", async () => {
  const { folder, session } = await makeRun();
  await session([start, negative, step(1)], { resume: false });
  await session([start, negative, step(1)], { resume: true });
  expect((await shown(folder)).filter((each) => each === "1 loss/sim")).toHaveLength(1);
  expect((await shown(folder)).filter((each) => each.includes("negative"))).toHaveLength(1);
});

test("a run that is logged only when it goes on shows what came before too", async () => {
  const { folder, session, save } = await makeRun();
  await session([start, negative, step(1), validation(1)], { resume: false, logged: false });
  await save(1);
  await session([step(2)], { resume: true });
  const tags = await shown(folder);
  expect(tags.filter((each) => each.endsWith("loss/sim"))).toEqual(["1 loss/sim", "2 loss/sim"]);
  expect(tags).toContain("0 negative/00-2 a dog");
  expect(tags).toContain("1 reward/mean");
});

test("nothing is written before the run writes", async () => {
  const { run, folder } = await makeRun();
  const log = await openTensorBoardLog(run, { resume: false });
  log.write({ type: "progress", phase: "measuring", done: 0, total: 2 });
  log.close();
  await expect(readdir(folder)).rejects.toThrow("ENOENT");
});

test("a picture that a run's folder links to elsewhere is not logged", async () => {
  const { run, session } = await makeRun();
  await session([start, negative], { resume: false });
  const own = join(await mkdtemp(join(tmpdir(), "rpo-own-")), "private.png");
  await writeFile(own, PNG);
  await rm(join(run, "images/negative-00-2.png"));
  await symlink(own, join(run, "images/negative-00-2.png"));
  const log = await openTensorBoardLog(run, { resume: false });
  expect(() => log.write(negative)).toThrow(/negative-00-2\.png: it leads out of/);
  log.close();
});

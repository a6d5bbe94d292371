import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { Random } from "../tensor/random.ts";
import type { RunEvent } from "./events.ts";
import { openEventLog, readEvents } from "./folder.ts";
import { watchRun, type WatchedEvent } from "./watch.ts";

const START = '{"type":"start","time":"2026-01-01T00:00:00.000Z","version":"0"}';
const NEGATIVE = '{"type":"negative","prompt":"ein Hündchen 犬","seed":1,"alignT":0.5,"image":"images/0.png"}';
const step = (n: number, seconds = 0.5) =>
  `{"type":"step","step":${n},"sim":0.1,"pref":0.7,"margin":0,"label":1,"gradNorm":1,"seconds":${seconds}}`;
const validation = (n: number, pictures = 1) =>
  JSON.stringify({
    ...{ type: "validation", step: n, lambda: 0.5, reward: 0.5, standardError: 0 },
    images: Array.from({ length: pictures }, (_, seed) => ({
      ...{ prompt: "a dog", seed, alignI: 0.5, alignT: 0.5, image: "images/0.png" },
    })),
  });
const stop = (n: number) => `{"type":"stop","step":${n},"reason":"interrupted"}`;
const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

/** A folder, and somebody who follows the run in it and looks only when asked for the next news. */
async function follow() {
  const run = await mkdtemp(join(tmpdir(), "rpo-watch-"));
  const path = join(run, "events.jsonl");
  const abort = new AbortController();
  const watched = watchRun(run, { signal: abort.signal, poll: 1 });
  return {
    run,
    path,
    abort,
    watched,
    write: (lines: readonly string[]) => writeFile(path, textOf(lines)),
    append: (lines: readonly string[]) => appendFile(path, textOf(lines)),
    /** The next news, so many. */
    next: async (many: number): Promise<string[]> => {
      const news: string[] = [];
      while (news.length < many) {
        const result = await watched.next();
        if (result.done === true) throw new Error("it ended");
        news.push(inWords(result.value));
      }
      return news;
    },
  };
}

function inWords(news: WatchedEvent): string {
  if (news.type === "cut") return `cut to ${news.events} events, step ${news.step}`;
  const { event } = news;
  return "step" in event ? `${event.type} ${event.step}` : event.type;
}

test("an event is told when its line is whole, wherever the line was cut", async () => {
  const { path, watched, abort } = await follow();
  const bytes = Buffer.from(textOf([START, NEGATIVE, step(1), ""]));
  const told: RunEvent[] = [];
  const listening = (async () => {
    for await (const news of watched) if (news.type === "event") told.push(news.event);
  })();
  let whole = 0;
  for (const [i, byte] of bytes.entries()) {
    await appendFile(path, bytes.subarray(i, i + 1));
    if (byte === 0x0a && bytes[i - 1] !== 0x0a) whole++;
    await setTimeout(3);
    if (byte === 0x0a) await expect.poll(() => told.length).toBe(whole);
    expect(told.length).toBe(whole);
  }
  abort.abort();
  await listening;
  expect(told.map(({ type }) => type)).toEqual(["start", "starting-picture", "step"]);
  expect(told[1]).toMatchObject({ prompt: "ein Hündchen 犬" });
});

test("what is there is told first; after the stop the run may go on", async () => {
  const { run, next, write } = await follow();
  await write([START, step(1)]);
  const saved = textOf([START, step(1)]).length;
  expect(await next(2)).toEqual(["start", "step 1"]);
  const log = await openEventLog(run, saved);
  await log.append(JSON.parse(stop(1)) as RunEvent);
  await log.close();
  expect(await next(1)).toEqual(["stop 1"]);
  const resumed = await openEventLog(run, saved);
  await resumed.append(JSON.parse(step(2)) as RunEvent);
  await resumed.close();
  expect(await next(2)).toEqual(["cut to 2 events, step 1", "step 2"]);
});

test.each<[string, string[], string[]]>([
  ["shorter", [START, step(1)], ["cut to 2 events, step 1"]],
  ["as long as before", [START, step(1), step(2, 0.6), step(3, 0.4)], ["step 2", "step 3"]],
  ["longer", [START, step(1), step(2, 0.25), step(3), step(4)], ["step 2", "step 3", "step 4"]],
  ["empty", [], ["cut to 0 events, step 0"]],
  ["another run's", [START.replace("2026", "2027"), step(1)], ["start", "step 1"]],
])("a log that was cut and is %s is told from where it differs on", async (_name, lines, expected) => {
  const { next, write } = await follow();
  await write([START, step(1), step(2), step(3)]);
  expect(await next(4)).toEqual(["start", "step 1", "step 2", "step 3"]);
  await write(lines);
  const events = lines[0] === START ? 2 : 0;
  const told = expected[0].startsWith("cut") ? expected : [`cut to ${events} events, step ${events / 2}`, ...expected];
  expect(await next(told.length)).toEqual(told);
});

test("a log that has grown to the same bytes again is not told again", async () => {
  const { next, write, append } = await follow();
  await write([START, step(1), validation(1)]);
  expect(await next(3)).toEqual(["start", "step 1", "validation 1"]);
  await write([START, step(1)]);
  await append([validation(1), step(2)]);
  expect(await next(1)).toEqual(["step 2"]);
});

test("steps that were taken again are told again, though all that follows them is the same", async () => {
  const { next, write, append } = await follow();
  const pictures = 200; // more bytes than are compared at the end
  await write([START, step(1), step(2), validation(2, pictures)]);
  expect(await next(4)).toEqual(["start", "step 1", "step 2", "validation 2"]);
  await write([START, step(1), step(2, 0.6), validation(2, pictures)]);
  await append([step(3)]);
  expect(await next(4)).toEqual(["cut to 2 events, step 1", "step 2", "validation 2", "step 3"]);
});

test("a run that failed, and fails once more in other words, is told so", async () => {
  const failure = (message: string) => `{"type":"error","step":1,"message":"${message}"}`;
  const { next, write } = await follow();
  await write([START, step(1), failure("the disk is full")]);
  expect(await next(3)).toEqual(["start", "step 1", "error 1"]);
  await write([START, step(1), failure("the disk is gone")]);
  expect(await next(2)).toEqual(["cut to 2 events, step 1", "error 1"]);
});

test("a run that has not begun is waited for, and so is one that was removed", async () => {
  const { run, next, write } = await follow();
  await rm(run, { recursive: true });
  const first = next(1);
  await setTimeout(10);
  await mkdir(run);
  await setTimeout(10);
  await write([START]);
  expect(await first).toEqual(["start"]);
  await rm(run, { recursive: true });
  expect(await next(1)).toEqual(["cut to 0 events, step 0"]);
});

test("the signal ends it: before the first look, between two events, and while it waits", async () => {
  const waiting = await follow();
  const ending = waiting.watched.next();
  await setTimeout(10);
  waiting.abort.abort();
  expect(await ending).toMatchObject({ done: true });

  const between = await follow();
  await between.write([START, step(1)]);
  expect(await between.next(1)).toEqual(["start"]);
  between.abort.abort();
  expect(await between.watched.next()).toMatchObject({ done: true });

  const before = await follow();
  before.abort.abort();
  expect(await before.watched.next()).toMatchObject({ done: true });
});

test.each<[string, string, RegExp]>([
  ["no JSON", '{"type":', /events\.jsonl: line 3: expected an event as JSON, got/],
  ["no event", '{"type":"nonsense"}', /events\.jsonl: line 3: type: no event of a run/],
  ["out of turn", step(3), /events\.jsonl: line 3: step 3 after step 1, expected 2/],
])("a line that is %s is an error, after the events before it", async (_name, line, message) => {
  const { next, write } = await follow();
  await write([START, step(1), line]);
  expect(await next(2)).toEqual(["start", "step 1"]);
  const error: unknown = await next(1).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toMatch(message);
});

test("a line that could not be read, and can be at the next look, is no error", async () => {
  const { next, write } = await follow();
  await write([START, step(1), step(3)]);
  expect(await next(2)).toEqual(["start", "step 1"]);
  const third = next(1);
  await write([START, step(1), step(2)]);
  expect(await third).toEqual(["step 2"]);
});

test("a log of many megabytes and one with a long line are read piece by piece", async () => {
  const { next, write, append } = await follow();
  const steps = Array.from({ length: 12_000 }, (_, i) => step(i + 1));
  await write([START, ...steps]);
  expect((await next(1 + steps.length)).at(-1)).toBe("step 12000");
  const pictures = 15_000;
  const long = validation(12_000, pictures);
  expect(long.length).toBeGreaterThan(2 ** 20);
  await append([long, step(12_001)]);
  expect(await next(2)).toEqual(["validation 12000", "step 12001"]);
  await write([START, ...steps.slice(0, 9000)]);
  expect(await next(1)).toEqual(["cut to 9001 events, step 9000"]);
});

test("whatever is cut and written while it is followed, the reader ends with what the log says", async () => {
  const { run, watched, abort } = await follow();
  const held: RunEvent[] = [];
  let cuts = 0;
  const listening = (async () => {
    for await (const news of watched) {
      if (news.type === "cut") held.length = news.events;
      else held.push(news.event);
      if (news.type === "cut") cuts++;
    }
  })();
  const random = new Random(1);
  const ends = [0]; // of the log after each step
  for (let session = 0; session < 40; session++) {
    ends.length = Math.max(1, ends.length - random.integer(20));
    const log = await openEventLog(run, ends[ends.length - 1]);
    for (let i = random.integer(30); i > 0; i--) {
      await log.append(JSON.parse(step(ends.length, random.uniform())) as RunEvent);
      ends.push((await log.sync()).length);
      if (random.integer(4) === 0) await setTimeout(1);
    }
    await log.close();
  }
  const said = await readEvents(run);
  expect(said.length).toBeGreaterThan(10);
  await expect.poll(() => held).toEqual(said);
  expect(cuts).toBeGreaterThan(10);
  abort.abort();
  await listening;
});

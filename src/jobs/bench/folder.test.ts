import { appendFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "../../tensor/lock.ts";
import { publish, readResult, takeOver } from "./folder.ts";

let root: string;
let task: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-folder-"));
  task = join(root, "train", "key");
});
afterEach(() => rm(root, { recursive: true }));

test("a task is there whole or not at all", async () => {
  await takeOver(task, `${task}.me`);
  await writeFile(join(`${task}.me`, "picture"), "p");
  expect(await readResult(task)).toBeUndefined();
  expect(await publish(task, `${task}.me`, { a: 1 })).toEqual({ a: 1 });
  expect(await readResult(task)).toEqual({ a: 1 });
  expect(await readdir(join(root, "train"))).toEqual(["key"]);
  expect((await readdir(task)).sort()).toEqual(["picture", "result.json"]);
});

test("of two that did the same work the first counts, and the other gets its result", async () => {
  for (const who of ["a", "b"]) await mkdir(`${task}.${who}`, { recursive: true });
  // what the other still has is gone when the first is published; it may have been in the middle of it
  await publish(task, `${task}.a`, "first");
  await mkdir(`${task}.b`);
  expect(await publish(task, `${task}.b`, "second")).toBe("first");
  expect(await readResult(task)).toBe("first");
  expect(await readdir(join(root, "train"))).toEqual(["key"]);
});

test("work that cannot be put in place stays for the next try", async () => {
  await takeOver(task, `${task}.me`);
  await writeFile(join(`${task}.me`, "weights"), "w");
  await rm(`${task}.me`, { recursive: true });
  await expect(publish(task, `${task}.me`, 1)).rejects.toThrow("cannot be written: no such file");

  await takeOver(task, `${task}.me`);
  await writeFile(join(`${task}.me`, "weights"), "w");
  await writeFile(task, "a file in the way");
  await expect(publish(task, `${task}.me`, 1)).rejects.toThrow();
  expect(await readFile(join(`${task}.me`, "weights"), "utf8")).toBe("w");
});

test("a folder whose result somebody removed is made again", async () => {
  await takeOver(task, `${task}.a`);
  await publish(task, `${task}.a`, 1);
  await rm(join(task, "result.json"));
  await takeOver(task, `${task}.b`);
  expect(await publish(task, `${task}.b`, 2)).toBe(2);
  expect(await readResult(task)).toBe(2);
});

test("a damaged result says what to do", async () => {
  await mkdir(task, { recursive: true });
  await writeFile(join(task, "result.json"), "");
  await expect(readResult(task)).rejects.toThrow(/result\.json is damaged; remove the folder/);
});

test("what a dead worker left is gone on with", async () => {
  await takeOver(task, `${task}.dead`);
  await writeFile(join(`${task}.dead`, "events.jsonl"), "1\n2\n");
  await takeOver(task, `${task}.next`);
  expect(await readdir(join(root, "train"))).toEqual(["key.next"]);
  expect(await readFile(join(`${task}.next`, "events.jsonl"), "utf8")).toBe("1\n2\n");
});

test("a worker that was taken for dead can neither write into the other's work nor publish its own", async () => {
  await takeOver(task, `${task}.slow`);
  const log = await open(join(`${task}.slow`, "events.jsonl"), "a");
  await log.appendFile("1\n");
  await takeOver(task, `${task}.next`);
  await log.appendFile("2\n");
  await log.close();
  expect(await readFile(join(`${task}.next`, "events.jsonl"), "utf8")).toBe("1\n");
  await expect(appendFile(join(`${task}.slow`, "events.jsonl"), "3\n")).rejects.toThrow("ENOENT");
  await expect(publish(task, `${task}.slow`, "late")).rejects.toThrow("cannot be written: no such file");
  expect(await readResult(task)).toBeUndefined();
});

test("the lock of a worker that lives, but was taken for dead, does not keep the next one out", async () => {
  const lock = { command: "rpo train", otherMachines: false };
  await takeOver(task, `${task}.slow`);
  const unlock = await lockFolder(`${task}.slow`, lock);
  await takeOver(task, `${task}.next`);
  const unlockNext = await lockFolder(`${task}.next`, lock);
  await unlock();
  await expect(lockFolder(`${task}.next`, lock)).rejects.toThrow("another rpo train works here");
  await unlockNext();
});

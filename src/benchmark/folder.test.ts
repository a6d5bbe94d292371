import { appendFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "../system/lock.ts";
import { clearFinished, publish, readResult, takeOver, workFolder } from "./folder.ts";

let root: string;
let task: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-folder-"));
  task = join(root, "train", "key");
});
afterEach(() => rm(root, { recursive: true }));

test("a task is there whole or not at all", async () => {
  await takeOver(task, `${task}.me-1-1`);
  await writeFile(join(`${task}.me-1-1`, "picture"), "p");
  expect(await readResult(task)).toBeUndefined();
  expect(await publish(task, `${task}.me-1-1`, { a: 1 })).toEqual({ a: 1 });
  expect(await readResult(task)).toEqual({ a: 1 });
  expect(await readdir(join(root, "train"))).toEqual(["key"]);
  expect((await readdir(task)).sort()).toEqual(["picture", "result.json"]);
});

test("of two that did the same work the first counts, and the other gets its result", async () => {
  for (const who of ["a", "b"]) await mkdir(`${task}.${who}-1-1`, { recursive: true });
  // what the other still has is gone when the first is published; it may have been in the middle of it
  await publish(task, `${task}.a-1-1`, "first");
  await mkdir(`${task}.b-1-1`);
  expect(await publish(task, `${task}.b-1-1`, "second")).toBe("first");
  expect(await readResult(task)).toBe("first");
  expect(await readdir(join(root, "train"))).toEqual(["key"]);
});

test("work that cannot be put in place stays for the next try", async () => {
  await takeOver(task, `${task}.me-1-1`);
  await writeFile(join(`${task}.me-1-1`, "weights"), "w");
  await rm(`${task}.me-1-1`, { recursive: true });
  await expect(publish(task, `${task}.me-1-1`, 1)).rejects.toThrow("cannot be written: no such file");

  await takeOver(task, `${task}.me-1-1`);
  await writeFile(join(`${task}.me-1-1`, "weights"), "w");
  await writeFile(task, "a file in the way");
  await expect(publish(task, `${task}.me-1-1`, 1)).rejects.toThrow();
  expect(await readFile(join(`${task}.me-1-1`, "weights"), "utf8")).toBe("w");
});

test("a folder whose result somebody removed is made again", async () => {
  await takeOver(task, `${task}.a-1-1`);
  await publish(task, `${task}.a-1-1`, 1);
  await rm(join(task, "result.json"));
  await takeOver(task, `${task}.b-1-1`);
  expect(await publish(task, `${task}.b-1-1`, 2)).toBe(2);
  expect(await readResult(task)).toBe(2);
});

test("copies that somebody made beside a task, and what they put into it, stay", async () => {
  await mkdir(`${task}.bak`, { recursive: true });
  await writeFile(join(`${task}.bak`, "events.jsonl"), "1\n");
  for (const [i, who] of ["a", "b"].entries()) {
    await takeOver(task, `${task}.${who}-1-1`);
    expect(await readdir(`${task}.${who}-1-1`)).toEqual([]);
    await publish(task, `${task}.${who}-1-1`, i);
    await rm(join(task, "result.json"));
    await writeFile(join(task, "notes"), who);
  }
  const work = workFolder(task, { machine: "my.host", pid: 12, n: 3 });
  expect(work).toBe(`${task}.my-host-12-3`);
  await takeOver(task, work);
  await publish(task, work, 2);
  await clearFinished(join(root, "train"));
  expect((await readdir(join(root, "train"))).sort()).toEqual(["key", "key.bak", "key.replaced", "key.replaced-2"]);
  expect(await readFile(join(`${task}.bak`, "events.jsonl"), "utf8")).toBe("1\n");
  expect(await readFile(join(`${task}.replaced`, "notes"), "utf8")).toBe("a");
  expect(await readFile(join(`${task}.replaced-2`, "notes"), "utf8")).toBe("b");
});

test("a damaged result says what to do", async () => {
  await mkdir(task, { recursive: true });
  await writeFile(join(task, "result.json"), "");
  await expect(readResult(task)).rejects.toThrow(/result\.json is damaged; remove the folder/);
});

test("what a dead worker left is continued", async () => {
  await takeOver(task, `${task}.dead-1-1`);
  await writeFile(join(`${task}.dead-1-1`, "events.jsonl"), "1\n2\n");
  await takeOver(task, `${task}.next-1-1`);
  expect(await readdir(join(root, "train"))).toEqual(["key.next-1-1"]);
  expect(await readFile(join(`${task}.next-1-1`, "events.jsonl"), "utf8")).toBe("1\n2\n");
});

test("a worker that was taken for dead can neither write into the other's work nor publish its own", async () => {
  await takeOver(task, `${task}.slow-1-1`);
  const log = await open(join(`${task}.slow-1-1`, "events.jsonl"), "a");
  await log.appendFile("1\n");
  await takeOver(task, `${task}.next-1-1`);
  await log.appendFile("2\n");
  await log.close();
  expect(await readFile(join(`${task}.next-1-1`, "events.jsonl"), "utf8")).toBe("1\n");
  await expect(appendFile(join(`${task}.slow-1-1`, "events.jsonl"), "3\n")).rejects.toThrow("ENOENT");
  await expect(publish(task, `${task}.slow-1-1`, "late")).rejects.toThrow("cannot be written: no such file");
  expect(await readResult(task)).toBeUndefined();
});

test("the lock of a worker that lives, but was taken for dead, does not keep the next one out", async () => {
  const lock = { command: "rpo train", otherMachines: false };
  await takeOver(task, `${task}.slow-1-1`);
  const unlock = await lockFolder(`${task}.slow-1-1`, lock);
  await takeOver(task, `${task}.next-1-1`);
  const unlockNext = await lockFolder(`${task}.next-1-1`, lock);
  await unlock();
  await expect(lockFolder(`${task}.next-1-1`, lock)).rejects.toThrow("another rpo train works here");
  await unlockNext();
});

import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UsageError } from "./errors.ts";
import { isLocked, lockFolder } from "./lock.ts";

const BENCH = { command: "rpo bench", otherMachines: true };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-lock-"));
  path = join(folder, "lock.json");
});
afterEach(() => rm(folder, { recursive: true }));

/** No process has this number. */
const DEAD = 2 ** 22 + 1;
const holds = (pid: number, host = hostname()) => writeFile(path, JSON.stringify({ host, pid }));

test("a folder is one process's until it lets it go", async () => {
  const unlock = await lockFolder(folder, BENCH);
  expect(await isLocked(folder)).toBe(true);
  await expect(lockFolder(folder, BENCH)).rejects.toThrow(UsageError);
  await expect(lockFolder(folder, BENCH)).rejects.toThrow(`process ${process.pid} on ${hostname()}`);
  await unlock();
  expect(await readdir(folder)).toEqual([]);
  expect(await isLocked(folder)).toBe(false);
});

test("a dead process's lock is taken over, another machine's is not", async () => {
  await holds(DEAD);
  expect(await isLocked(folder)).toBe(false);
  await (
    await lockFolder(folder, BENCH)
  )();
  await holds(DEAD, "elsewhere");
  expect(await isLocked(folder)).toBe(true);
  await expect(lockFolder(folder, BENCH)).rejects.toThrow(`process ${DEAD} on elsewhere`);
});

test("of several that find a dead lock one gets it", async () => {
  await holds(DEAD);
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder, BENCH)));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a lock that is being written is waited for, a damaged old one is dead", async () => {
  await writeFile(path, "");
  const waiting = lockFolder(folder, BENCH);
  await holds(DEAD, "elsewhere");
  await expect(waiting).rejects.toThrow("on elsewhere");
  await writeFile(path, "null");
  await utimes(path, 0, 0);
  await (
    await lockFolder(folder, BENCH)
  )();
});

test("a lock that another has taken over is not let go", async () => {
  const unlock = await lockFolder(folder, BENCH);
  await holds(DEAD, "elsewhere");
  await unlock();
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ host: "elsewhere" });
});

test("another machine's lock may count for nothing", async () => {
  await holds(DEAD, "elsewhere");
  await (
    await lockFolder(folder, { ...BENCH, otherMachines: false })
  )();
});

test("a lock of this number's earlier life is dead", async () => {
  await writeFile(path, JSON.stringify({ host: hostname(), pid: process.pid, started: 1000 }));
  await (
    await lockFolder(folder, BENCH)
  )();
});

import { spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
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
/** A lock as version 0.1.0 wrote it. */
const holds = (pid: number, host = hostname(), started = 1.7e9) =>
  writeFile(path, JSON.stringify({ host, pid, started }));
const secondsNow = () => Date.now() / 1000;

test("a folder is one process's until it lets it go", async () => {
  const unlock = await lockFolder(folder, BENCH);
  expect(await isLocked(folder)).toBe(true);
  await expect(lockFolder(folder, BENCH)).rejects.toThrow(UsageError);
  await expect(lockFolder(folder, BENCH)).rejects.toThrow(
    `process ${process.pid} on ${hostname()}); wait for it, or remove ${path} if it is gone`,
  );
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
  await expect(lockFolder(folder, BENCH)).rejects.toThrow(
    `process ${DEAD} on elsewhere); wait for it, or remove ${path} if it is gone (a container that is started anew is another host)`,
  );
});

test("of several that find a dead lock one gets it", async () => {
  await holds(DEAD);
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder, BENCH)));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readdir(folder)).toEqual(["lock.json"]);
});

test("a lock that is being written is waited for, a damaged one for a moment", async () => {
  await writeFile(path, "");
  const waiting = lockFolder(folder, BENCH);
  await holds(DEAD, "elsewhere");
  await expect(waiting).rejects.toThrow("on elsewhere");
  await writeFile(path, "null");
  // a clock that runs ahead
  await utimes(path, secondsNow() + 1000, secondsNow() + 1000);
  await (
    await lockFolder(folder, BENCH)
  )();
  expect(await readdir(folder)).toEqual([]);
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

test("a number that another program has now, or that none can have, is not the holder's", async () => {
  for (const pid of [process.pid, process.ppid, 1, 0, -1, 2 ** 31, 2 ** 52]) {
    await holds(pid);
    expect([pid, await isLocked(folder)]).toEqual([pid, false]);
    await (
      await lockFolder(folder, BENCH)
    )();
  }
});

test("a lock of version 0.1.0 counts while its process lives", async () => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
  await holds(child.pid ?? 0, hostname(), Math.round(secondsNow()));
  await expect(lockFolder(folder, BENCH)).rejects.toThrow(`process ${child.pid ?? 0} on`);
  child.kill("SIGKILL");
  // its end is not waited for
  await (
    await lockFolder(folder, BENCH)
  )();
});

test("what is no file of ours is named and left alone", async () => {
  await mkdir(path);
  await expect(lockFolder(folder, BENCH)).rejects.toThrow(
    new UsageError(`${path}: expected the file that says who works here, but it is a folder; move it away`),
  );
  await rm(path, { recursive: true });
  await symlink("nowhere", path);
  await expect(lockFolder(folder, BENCH)).rejects.toThrow("it is a link; move it away");
  await rm(path);
  if (spawnSync("mkfifo", [path]).status === 0)
    await expect(lockFolder(folder, BENCH)).rejects.toThrow("it is no file; move it away");
  expect(await isLocked(folder)).toBe(false);
});

test("a folder that takes no lock is named", async () => {
  const gone = join(folder, "gone");
  await expect(lockFolder(gone, BENCH)).rejects.toThrow(`${join(gone, "lock.json")}: cannot be written: no such file`);
});

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { whenNotInUse } from "./in-use.ts";
import { tryLock } from "./lock-file.ts";

/** Renames and removals that fail at first, as on Windows while others read. */
const faults = vi.hoisted(() => ({ left: 0 }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const faulty =
    (work: (...args: never[]) => Promise<unknown>) =>
    (...args: never[]) =>
      faults.left-- > 0 ? Promise.reject(Object.assign(new Error("in use"), { code: "EPERM" })) : work(...args);
  return { ...real, rename: faulty(real.rename) };
});

const own = process.platform;
const setPlatform = (value: NodeJS.Platform) => Object.defineProperty(process, "platform", { value });
afterEach(() => {
  setPlatform(own);
});

const dead = JSON.stringify({ host: hostname(), pid: 2 ** 22 + 1, started: 0 });
const isFree = ({ fate }: { fate: string }) => fate === "dead";

test.each<[NodeJS.Platform, boolean]>([
  ["win32", true],
  ["linux", false],
])("on %s a dead lock that another reads just now is taken a moment later: %s", async (platform, isTaken) => {
  setPlatform(platform);
  const folder = await mkdtemp(join(tmpdir(), "rpo-in-use-"));
  const path = join(folder, "lock.json");
  await writeFile(path, dead);
  faults.left = 2;
  const taken = tryLock(path, isFree);
  if (isTaken) {
    const unlock = await taken;
    expect(await readFile(path, "utf8")).toContain(`"pid":${process.pid}`);
    if (typeof unlock === "function") await unlock();
  } else await expect(taken).rejects.toThrow("cannot be written");
  faults.left = 0;
  await rm(folder, { recursive: true });
});

test("other errors are told at once", async () => {
  setPlatform("win32");
  const work = vi.fn(() => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })));
  await expect(whenNotInUse(work)).rejects.toThrow("full");
  expect(work).toHaveBeenCalledTimes(1);
});

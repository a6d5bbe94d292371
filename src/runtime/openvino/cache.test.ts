import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cacheFolder, cacheHome, trimCache } from "./cache.ts";

let home: string;
beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), "rpo-cache-")), "rpo", "openvino");
});
afterEach(() => rm(dirname(dirname(home)), { recursive: true, force: true }));

const key = { version: "2026.4.1", precision: "float32", processor: "Some CPU FP32" };
const isWindows = process.platform === "win32";

test("each version, precision and processor has a folder of its own, in the user's cache", async () => {
  const others = [{ version: "2026.5.0" }, { precision: "bfloat16" }, { processor: "Some CPU FP32 BF16" }];
  const folders = await Promise.all([{}, ...others].map((other) => cacheFolder({ ...key, ...other }, home)));
  expect(new Set(folders).size).toBe(4);
  expect(await cacheFolder(key, home)).toBe(folders[0]);
  expect(folders[0]).toMatch(/2026\.4\.1-float32-[0-9a-f]{12}$/);
  const env = { XDG_CACHE_HOME: "/cache", LOCALAPPDATA: "/cache" };
  expect(cacheHome(env)).toBe(join("/cache", "rpo", "openvino"));
});

test.skipIf(isWindows)("folders are made for the user alone", async () => {
  const folder = await cacheFolder(key, home);
  for (const each of [home, folder ?? ""]) expect((await stat(each)).mode & 0o777).toBe(0o700);
});

test.skipIf(isWindows).each([0o770, 0o702])("a folder that others can write to (%o) is refused", async (mode) => {
  const folder = (await cacheFolder(key, home)) ?? "";
  for (const each of [home, folder]) {
    await chmod(each, mode);
    await expect(cacheFolder(key, home)).rejects.toThrow(`${each}: expected a folder that only you can write to`);
    await chmod(each, 0o700);
  }
});

test.skipIf(isWindows)("so is a link, which may lead anywhere", async () => {
  await mkdir(join(home, "..", "elsewhere"), { recursive: true });
  await symlink(join(home, "..", "elsewhere"), home);
  await expect(cacheFolder(key, home)).rejects.toThrow("only you can write to");
});

test("where no folder can be made there is no cache", async () => {
  await writeFile(dirname(dirname(home)) + ".file", "");
  expect(await cacheFolder(key, join(dirname(dirname(home)) + ".file", "openvino"))).toBeUndefined();
  await rm(dirname(dirname(home)) + ".file");
});

test("the oldest models go first, of all folders, until the rest is small enough", async () => {
  const write = async (folder: string, name: string, bytes: number, age: number) => {
    await mkdir(join(home, folder), { recursive: true });
    await writeFile(join(home, folder, name), new Uint8Array(bytes));
    const time = new Date(1e12 - age * 1000);
    await utimes(join(home, folder, name), time, time);
  };
  await write("a", "new.blob", 40, 1);
  await write("b", "old.blob", 40, 3);
  await write("b", "middle.blob", 40, 2);
  await trimCache(home, 120);
  expect((await readdir(join(home, "b"))).sort()).toEqual(["middle.blob", "old.blob"]);
  await trimCache(home, 119);
  expect(await readdir(join(home, "b"))).toEqual(["middle.blob"]);
  await trimCache(home, 40);
  expect([await readdir(join(home, "a")), await readdir(join(home, "b"))]).toEqual([["new.blob"], []]);
  await trimCache(join(home, "nowhere"), 0);
});

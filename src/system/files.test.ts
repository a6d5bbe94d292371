import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ModelError, UsageError } from "./errors.ts";
import { readJson, writeFileAtomic, writeFully, writeJson } from "./files.ts";
import { temporaryPath } from "./leftovers.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "files-"));
  path = join(folder, "state.json");
});
afterEach(() => rm(folder, { recursive: true }));

test("a file is replaced as a whole and leaves nothing beside it", async () => {
  await writeFileAtomic(path, "old and long");
  await writeFileAtomic(path, async (file) => {
    await writeFully(file, Buffer.from("new"));
    expect(await readFile(path, "utf8")).toBe("old and long");
    await writeFully(file, Buffer.from("er"));
  });
  expect(await readFile(path, "utf8")).toBe("newer");
  expect(await readdir(folder)).toEqual(["state.json"]);
});

test("a writer that fails leaves the old content and no temporary file", async () => {
  await writeFileAtomic(path, "old");
  const failing = writeFileAtomic(path, async (file) => {
    await writeFully(file, Buffer.from("half"));
    throw new Error("disk on fire");
  });
  await expect(failing).rejects.toThrow("disk on fire");
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["state.json"]);
});

test("two writes of one file at the same time end with one of the two contents", async () => {
  await Promise.all(["a", "b"].map((text) => writeFileAtomic(path, text.repeat(1000))));
  expect(await readFile(path, "utf8")).toMatch(/^(a{1000}|b{1000})$/);
  expect(await readdir(folder)).toEqual(["state.json"]);
});

describe("what a killed process left beside a file", () => {
  const dead = spawnSync(process.execPath, ["-e", "0"]).pid;
  const anHourAgo = Date.now() / 1000 - 3700;

  test("is removed by the next write, a file or a folder, whatever it was to be", async () => {
    const ours = basename(await temporaryPath(path));
    // the same number, of this machine, of a program that was started at another time
    const reused = ours.replace(/-[0-9a-f]{12}-/, "-0123456789ab-");
    await writeFile(join(folder, ours.replace(`.${process.pid}-`, `.${dead}-`)), "");
    await mkdir(join(folder, ours.replace(`.${process.pid}-`, `.${dead}-`).replace(".state.json", ".export"), "unet"), {
      recursive: true,
    });
    await writeFile(join(folder, reused), "");
    await writeFile(join(folder, ours), "being written");
    await writeFileAtomic(path, "");
    const numberAlone = process.platform === "win32" ? [reused] : [];
    expect((await readdir(folder)).sort()).toEqual([ours, ...numberAlone, "state.json"].sort());
  });

  test("stays for an hour where it may be another machine's", async () => {
    const elsewhere = basename(await temporaryPath(path)).replace(/-[0-9a-f]{8}-/, "-01234567-");
    const earlier = `.state.json.${dead}-${randomUUID()}.tmp`;
    await writeFile(join(folder, elsewhere), "");
    await writeFile(join(folder, earlier), "");
    await writeFileAtomic(path, "");
    expect((await readdir(folder)).sort()).toEqual([elsewhere, earlier, "state.json"].sort());
    for (const name of [elsewhere, earlier]) await utimes(join(folder, name), anHourAgo, anHourAgo);
    await writeFileAtomic(path, "");
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  test("is none of the user's own files", async () => {
    const names = [".notes.1-2.tmp", `state.json.${dead}-0.tmp`, "000040.tmp", ".tmp"];
    for (const name of names) {
      await writeFile(join(folder, name), "");
      await utimes(join(folder, name), 0, 0);
    }
    await writeFileAtomic(path, "");
    expect((await readdir(folder)).sort()).toEqual([...names, "state.json"].sort());
  });
});

test("JSON is written with indents and read back", async () => {
  await writeJson(path, { lambda: 0.5, checkpoint: null });
  expect(await readFile(path, "utf8")).toBe('{\n  "lambda": 0.5,\n  "checkpoint": null\n}\n');
  expect(await readJson(path)).toEqual({ lambda: 0.5, checkpoint: null });
});

test("a JSON file that cannot be read is an error of the wanted kind that names it", async () => {
  await expect(readJson(path)).rejects.toThrow(new ModelError(`${path}: no such file`));
  await expect(readJson(folder, UsageError)).rejects.toThrow(
    new UsageError(`${folder}: expected a file, but it is a folder`),
  );
  await writeFile(path, '{"a": NaN}');
  await expect(readJson(path)).rejects.toThrow(`${path}: expected JSON, but `);
  await writeFile(path, Buffer.from([0x22, 0xff, 0x22]));
  await expect(readJson(path)).rejects.toThrow(`${path}: line 1: not text in UTF-8 (byte 0xFF)`);
});

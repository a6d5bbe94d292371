import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModelError, UsageError } from "./errors.ts";
import { readJson, writeFileAtomic, writeFully, writeJson } from "./files.ts";

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

test("what a killed process left behind is removed, what a living one writes is not", async () => {
  const dead = spawnSync(process.execPath, ["-e", "0"]).pid;
  await writeFile(join(folder, `.state.json.${dead}-0.tmp`), "");
  await writeFile(join(folder, `.other.json.${dead}-0.tmp`), "");
  await writeFile(join(folder, `.state.json.${process.ppid}-0.tmp`), "");
  await writeFileAtomic(path, "");
  const left = [`.other.json.${dead}-0.tmp`, `.state.json.${process.ppid}-0.tmp`, "state.json"];
  expect((await readdir(folder)).sort()).toEqual(left);
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
  await expect(readJson(path)).rejects.toThrow(`${path}: expected text in UTF-8`);
});

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfigFile } from "./config-file.ts";

test("a file of settings is read by its byte order mark", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "rpo-config-")), "c.json");
  for (const bytes of [
    Buffer.from('\uFEFF{"steps": 1}'),
    Buffer.from('\uFEFF{"steps": 1}', "utf16le"),
    Buffer.from('\uFEFF{"steps": 1}', "utf16le").swap16(),
  ]) {
    await writeFile(path, bytes);
    expect(await readConfigFile(path)).toEqual({ steps: 1 });
  }
  await writeFile(path, Buffer.from('{\n"class": "caf\xe9"}', "latin1"));
  await expect(readConfigFile(path)).rejects.toThrow("c.json: line 2: not text in UTF-8 (byte 0xE9)");
});

test("a setting that stands twice is refused, and none of the two taken", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "rpo-config-")), "c.json");
  await writeFile(path, '{\n  "steps": 1,\n  "steps": 2\n}');
  await expect(readConfigFile(path)).rejects.toThrow(`c.json: not valid JSON: line 3: "steps" for the second time`);
});

import { mkdtemp, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { forgetRequest, readRequest, writeRequest } from "./requests.ts";

const folder = () => mkdtemp(join(tmpdir(), "rpo-requests-"));

test("what is asked is read until it is forgotten", async () => {
  const run = await folder();
  expect(await readRequest(run)).toBeUndefined();
  await writeRequest(run, "stop-after-validation");
  expect(await readRequest(run)).toBe("stop-after-validation");
  await forgetRequest(run);
  expect(await readRequest(run)).toBeUndefined();
});

test("what was asked before a process began is not asked of it", async () => {
  const run = await folder();
  await writeRequest(run, "stop");
  await utimes(join(run, "asked.json"), 10, 10);
  expect(await readRequest(run, 20_000)).toBeUndefined();
  expect(await readRequest(run, 5_000)).toBe("stop");
});

test.each(["", "{", '{"ask":"format"}', "[]", "null"])("%j asks for nothing", async (content) => {
  const run = await folder();
  await writeFile(join(run, "asked.json"), content);
  expect(await readRequest(run)).toBeUndefined();
});

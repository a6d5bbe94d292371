import { mkdtemp, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  forgetOldRequests,
  forgetRequests,
  forgetValidationRequest,
  readRequest,
  readValidationRequest,
  writeRequest,
} from "./requests.ts";

const folder = () => mkdtemp(join(tmpdir(), "rpo-requests-"));

test("what is asked is read until it is forgotten", async () => {
  const run = await folder();
  expect(await readRequest(run)).toBeUndefined();
  await writeRequest(run, "stop-after-validation");
  expect(await readRequest(run)).toBe("stop-after-validation");
  await forgetRequests(run);
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

test("a validation and a stop are asked for beside each other, and each is forgotten alone", async () => {
  const run = await folder();
  await writeRequest(run, "stop-after-validation");
  await writeRequest(run, "validate");
  const at = await readValidationRequest(run);
  expect([at, await readRequest(run)]).toEqual([expect.any(Number), "stop-after-validation"]);
  await forgetValidationRequest(run, (at ?? 0) - 1000);
  expect(await readValidationRequest(run), "it was asked for again since").toBe(at);
  await forgetValidationRequest(run, at ?? 0);
  expect([await readValidationRequest(run), await readRequest(run)]).toEqual([undefined, "stop-after-validation"]);
});

test("what was asked of a process before is forgotten, and what is asked of this one is not", async () => {
  const run = await folder();
  await writeRequest(run, "stop");
  await writeRequest(run, "validate");
  await utimes(join(run, "asked.json"), 10, 10);
  await forgetOldRequests(run, 20_000);
  expect(await readRequest(run)).toBeUndefined();
  expect(await readValidationRequest(run)).toBeDefined();
});

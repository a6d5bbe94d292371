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
  requestsIn,
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

test("what was asked before a process began, by whatever clock, is not asked of it", async () => {
  const run = await folder();
  await writeRequest(run, "stop");
  const old = await requestsIn(run);
  expect(await readRequest(run, old)).toBeUndefined();
  expect(await readRequest(run)).toBe("stop");
  await writeRequest(run, "stop");
  expect(await readRequest(run, old), "the same is asked for anew").toBe("stop");
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
  const before = await readValidationRequest(run);
  await writeRequest(run, "validate");
  const mark = await readValidationRequest(run);
  expect([mark === before, await readRequest(run)]).toEqual([false, "stop-after-validation"]);
  await forgetValidationRequest(run, before ?? "");
  expect(await readValidationRequest(run), "it was asked for again since").toBe(mark);
  await forgetValidationRequest(run, mark ?? "");
  expect([await readValidationRequest(run), await readRequest(run)]).toEqual([undefined, "stop-after-validation"]);
});

test("what was asked of a process before is forgotten, and what is asked of this one is not", async () => {
  const run = await folder();
  await writeRequest(run, "stop");
  await utimes(join(run, "asked.json"), 4e9, 4e9);
  const old = await requestsIn(run);
  await writeRequest(run, "validate");
  await forgetOldRequests(run, old);
  expect(await readRequest(run)).toBeUndefined();
  expect(await readValidationRequest(run)).toBeDefined();
});

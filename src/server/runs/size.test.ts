import { appendFile, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sizeOf } from "./size.ts";

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), "rpo-size-"));
  await mkdir(join(run, "checkpoints", "000040"), { recursive: true });
  await mkdir(join(run, "images"));
  await put("events.jsonl", 100);
  await put("images/validation-000040-00-0.png", 1000);
  await put("checkpoints/000040/adapter_model.safetensors", 10_000);
});
afterEach(() => rm(run, { recursive: true, force: true }));

const put = (name: string, bytes: number) => writeFile(join(run, name), Buffer.alloc(bytes));

/** As if all of it had been there for a while: what is young is counted each time. */
async function settle() {
  const then = new Date(Date.now() - 60_000);
  for (const name of ["events.jsonl", "checkpoints/000040", "checkpoints", "images", ""])
    await utimes(join(run, name), then, then);
}

test("a run's size is what is there now, whatever was deleted or written since it was last asked for", async () => {
  await settle();
  expect(await sizeOf(run)).toBe(11_100);
  await rm(join(run, "images/validation-000040-00-0.png"));
  expect(await sizeOf(run)).toBe(10_100);
  await settle();
  expect(await sizeOf(run)).toBe(10_100);
  await rm(join(run, "checkpoints/000040/adapter_model.safetensors"));
  expect(await sizeOf(run)).toBe(100);
  await settle();
  expect(await sizeOf(run)).toBe(100);
  await appendFile(join(run, "events.jsonl"), Buffer.alloc(11));
  expect(await sizeOf(run)).toBe(111);
  await settle();
  await mkdir(join(run, "exam"));
  await put("exam/00.png", 5);
  expect(await sizeOf(run)).toBe(116);
});

test("what is deleted in the tick of the clock in which it was counted is gone from the size too", async () => {
  await settle();
  const tick = new Date();
  await utimes(join(run, "images"), tick, tick);
  expect(await sizeOf(run)).toBe(11_100);
  await rm(join(run, "images/validation-000040-00-0.png"));
  // as of a file system that counts whole seconds
  await utimes(join(run, "images"), tick, tick);
  expect(await sizeOf(run)).toBe(10_100);
});

test("what has not changed is not counted again", async () => {
  await settle();
  expect(await sizeOf(run)).toBe(11_100);
  // a change that no folder tells of
  await appendFile(join(run, "images/validation-000040-00-0.png"), "more");
  expect(await sizeOf(run)).toBe(11_100);
});

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linkBlob } from "../../src/hub/cache.ts";
import { clearFinished, publish, readResult, takeOver } from "../../src/benchmark/folder.ts";
import { writeFileAtomic } from "../../src/system/files.ts";
import { atEveryKill } from "./every-kill.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-leftovers-"));
});
afterAll(() => rm(root, { recursive: true }));

const folder = () => mkdtemp(join(root, "work-"));
const args = (what: string) => (at: string) => ["tests/faults/work.mjs", what, at];

test("a kill at any instant of writing a file leaves its old content or the new, and the next write to the folder leaves no more", async () => {
  const fresh = "new".repeat(1000);
  const operations = await atEveryKill({
    async prepare() {
      const at = await folder();
      await writeFile(join(at, "state.json"), "old");
      return at;
    },
    args: args("write"),
    async check(at, where) {
      expect([["old", fresh], where]).toEqual([
        expect.arrayContaining([await readFile(join(at, "state.json"), "utf8")]),
        where,
      ]);
      await writeFileAtomic(join(at, "other.json"), "{}");
      expect([(await readdir(at)).sort(), where]).toEqual([["other.json", "state.json"], where]);
    },
  });
  expect(operations.map(({ name }) => name)).toEqual(["open", "write", "sync", "rename", "sync"]);
});

test("a kill at any instant of linking a file of a snapshot leaves nothing for the next", async () => {
  await atEveryKill({
    async prepare() {
      const at = await folder();
      await writeFile(join(at, "blob"), "{}");
      return at;
    },
    args: args("link"),
    async check(at, where) {
      await linkBlob(join(at, "blob"), join(at, "snapshot", "config.json"));
      expect([await readdir(join(at, "snapshot")), where]).toEqual([["config.json"], where]);
      expect(await readFile(join(at, "snapshot", "config.json"), "utf8")).toBe("{}");
    },
  });
});

test("a kill at any instant of taking over and publishing a benchmark's task leaves the task, whole, for the next", async () => {
  await atEveryKill({
    async prepare() {
      const at = await folder();
      // a worker that was killed while it trained, and one that was at the same task before
      for (const dead of ["key.host-1-1", "key.host-2-1"]) {
        await mkdir(join(at, "train", dead), { recursive: true });
        await writeFile(join(at, "train", dead, "events.jsonl"), "1\n2\n");
      }
      return at;
    },
    args: args("task"),
    async check(at, where) {
      const train = join(at, "train");
      const task = join(train, "key");
      // the next `rpo bench`, and its workers
      await clearFinished(train);
      if ((await readResult(task)) === undefined) {
        await takeOver(task, `${task}.next-3-1`);
        await publish(task, `${task}.next-3-1`, { reward: 1 });
      }
      expect([await readResult(task), where]).toEqual([{ reward: 1 }, where]);
      expect([await readdir(train), where]).toEqual([["key"], where]);
      expect([(await readdir(task)).sort(), where]).toEqual([["events.jsonl", "result.json"], where]);
      expect([await readFile(join(task, "events.jsonl"), "utf8"), where]).toEqual(["1\n2\n", where]);
    },
  });
});

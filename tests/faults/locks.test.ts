import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isLocked, lockFolder } from "../../src/system/lock.ts";
import { atEveryKill, runWithKill } from "./every-kill.ts";

const BENCH = { command: "rpo bench", otherMachines: true };
const HOLD = "tests/faults/hold.mjs";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-locks-"));
});
afterAll(() => rm(root, { recursive: true }));

const folder = () => mkdtemp(join(root, "run-"));

/** The next command takes the lock at once, has it, and leaves nothing. */
async function expectHealed(run: string, where: string): Promise<void> {
  const begun = performance.now();
  const release = await lockFolder(run, BENCH);
  expect([await isLocked(run), where]).toEqual([true, where]);
  expect([await readdir(run), where]).toEqual([["lock.json"], where]);
  await release();
  expect([await readdir(run), where]).toEqual([[], where]);
  // nothing half written is waited for
  expect(performance.now() - begun).toBeLessThan(2000);
}

test("a kill at any instant of taking and releasing a lock holds nobody up and leaves nothing", async () => {
  const operations = await atEveryKill({ prepare: folder, args: (run) => [HOLD, run], check: expectHealed });
  expect(operations.map(({ name }) => name)).toEqual(["writeFile", "link", "rm", "rm"]);
});

test("nor does a kill at any instant of a takeover, of a lock and of a takeover that was killed itself", async () => {
  const killed = await folder();
  for (const n of [3, 4]) await runWithKill([HOLD, killed], killed, { n });
  const names = (await readdir(killed)).map((name) => name.replace(/-\w.*|\d.*/, ""));
  expect(names.sort()).toEqual([".lock.json.", ".lock.json.after", "lock.json"]);
  const operations = await atEveryKill({
    async prepare() {
      const run = await folder();
      await cp(killed, run, { recursive: true });
      return run;
    },
    args: (run) => [HOLD, run],
    check: expectHealed,
  });
  expect(operations.map(({ name }) => name)).toContain("rename");
});

test("what version 0.1.0 left of a takeover is removed", async () => {
  const run = await folder();
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  await writeFile(join(run, "lock.json"), JSON.stringify({ host: hostname(), pid: dead, started: 1.7e9 }));
  await writeFile(join(run, "lock.json.takeover"), "");
  await expectHealed(run, "takeover");
});

test(
  "of many processes that are killed at random one at most has a lock, and nothing is left",
  { timeout: 60_000 },
  async () => {
    const run = await folder();
    const log = join(root, "log");
    const end = performance.now() + 5000;
    let killed = 0;
    const live = async () => {
      while (performance.now() < end) {
        const when = (["before", "half", "after"] as const)[Math.floor(Math.random() * 3)];
        const n = 1 + Math.floor(Math.random() * 60);
        const { code, signal, stderr } = await runWithKill([HOLD, run, log, "3"], run, { n, ...(when && { when }) });
        expect([signal ?? code, stderr]).toEqual([signal === "SIGKILL" ? "SIGKILL" : 0, ""]);
        if (signal === "SIGKILL") killed++;
      }
    };
    await Promise.all(Array.from({ length: 6 }, live));

    const gone = new Set<string>();
    let holder = "";
    const lines = (await readFile(log, "utf8")).trim().split("\n");
    for (const [i, line] of lines.entries()) {
      const [, who = ""] = line.split(" ");
      if (who !== holder) gone.add(holder);
      holder = who;
      // once another has it, the last one is never heard of again
      expect([gone.has(who), i, lines.slice(Math.max(0, i - 5), i + 1)]).toEqual([false, i, expect.anything()]);
    }
    expect(killed).toBeGreaterThan(10);
    expect(lines.length).toBeGreaterThan(50);
    await expectHealed(run, "at the end");
  },
);

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { fateOf, isSurelyAlive, parsePs, parseStat, thisProcess } from "./processes.ts";

const now = () => Math.round(Date.now() / 1000);
const tells = process.platform === "linux" || process.platform === "darwin";

test("a process lives while its start is the one that was told", async () => {
  const me = await thisProcess();
  expect(await fateOf(me)).toBe("alive");
  expect(await fateOf({ pid: me.pid })).toBe("alive");
  expect(await fateOf({ pid: me.pid, started: me.started + 5 })).toBe("alive");
  expect(await fateOf({ pid: me.pid, started: me.started + 1000 })).toBe("dead");
  expect(await fateOf({ pid: spawnSync(process.execPath, ["-e", ""]).pid })).toBe("dead");
});

test.runIf(tells)("of another process the start is known too", async () => {
  const me = await thisProcess();
  expect(me.birth).toMatch(/^[0-9a-f]{12}$/);
  expect(await fateOf({ ...me, birth: "0123456789ab" })).toBe("dead");
  expect(await fateOf({ ...me, pid: process.ppid })).toBe("dead");
  expect(await fateOf({ pid: process.ppid, started: me.started - 1e6 })).toBe("dead");
});

test.runIf(tells)("a process is surely the one only where its start was compared", async () => {
  const { pid, started, birth } = await thisProcess();
  expect(await isSurelyAlive({ pid, started, birth })).toBe(true);
  expect(await isSurelyAlive({ pid, started })).toBe(true);
  expect(await isSurelyAlive({ pid })).toBe(false);
  expect(await isSurelyAlive({ pid, started, birth: "0123456789ab" })).toBe(false);
  expect(await isSurelyAlive({ pid: spawnSync(process.execPath, ["-e", ""]).pid, started })).toBe(false);
});

test.runIf(tells)("a process that ended is dead, whether or not anybody asks for its exit code", async () => {
  // the shell becomes a program that never asks
  const parent = spawn("sh", ["-c", "sleep 0.01 & echo $!; exec sleep 60"]);
  try {
    const [output] = (await once(parent.stdout, "data")) as [Buffer];
    const zombie = Number(output);
    await expect.poll(() => fateOf({ pid: zombie, started: now() }), { timeout: 10_000 }).toBe("dead");
    expect(process.kill(zombie, 0)).toBe(true);
  } finally {
    parent.kill("SIGKILL");
  }
});

test("numbers that no process can have are nobody's", async () => {
  for (const pid of [0, -1, 1.5, 2 ** 31, 2 ** 52, NaN]) expect(await fateOf({ pid })).toBe("dead");
});

test("a process that frees its memory is dead before it is gone", () => {
  // both as Linux 6.18 wrote them of a killed process with 3 GB, and 1.9 seconds before it was gone
  const rest = "14898 14898 9816 0 -1";
  const times = "101 0 0 0 0 0 0 0 20 0 1 0 130711 3133440 385";
  expect(parseStat(`15044 (a) R (b) R ${rest} 4194304 ${times}`)).toEqual({ ticks: 130711, isOver: false });
  expect(parseStat(`15044 (a) R (b) R ${rest} 4195340 ${times}`)).toEqual({ ticks: 130711, isOver: true });
  expect(parseStat(`15044 (node) Z ${rest} 4194304 ${times}`)).toEqual({ ticks: 130711, isOver: true });
});

test("what macOS says of a process", () => {
  const birth = expect.stringMatching(/^[0-9a-f]{12}$/) as string;
  const started = Date.UTC(2026, 10, 8, 5, 11, 43) / 1000;
  const told = (state: string) => parsePs(`Sun Nov  8 05:11:43 2026     ${state}\n`);
  expect(told("S+")).toEqual({ birth, started, fate: "alive" });
  expect(told("Z")).toMatchObject({ fate: "dead" });
  expect(told("UE+")).toMatchObject({ fate: "ending" });
  expect(parsePs("")).toBeUndefined();
});

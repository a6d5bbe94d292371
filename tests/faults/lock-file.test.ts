import { basename, dirname, join } from "node:path";
import { setImmediate as settled } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { tryLock } from "../../src/system/lock-file.ts";
import { Random } from "../../src/tensor/random.ts";

/** A disk on which every operation waits for its turn, so that processes, none of them real, can be interleaved and killed at will. */
const world = vi.hoisted(() => ({
  files: new Map<string, { text: string }>(),
  dead: new Set<number>(),
  /** Whose turn it is: between two turns one process runs alone. */
  pid: 0,
  turn: (): Promise<void> => Promise.resolve(),
}));

vi.mock("node:fs/promises", () => {
  const { files } = world;
  const error = (code: string) => Object.assign(new Error(code), { code });
  const found = (path: string) => {
    const file = files.get(path);
    if (file === undefined) throw error("ENOENT");
    return file;
  };
  const create = (path: string, file: { text: string }) => {
    if (files.has(path)) throw error("EEXIST");
    files.set(path, file);
  };
  const operations: Record<string, (path: string, to: string) => unknown> = {
    writeFile: (path, text) => create(path, { text }),
    link: (from, to) => create(to, found(from)),
    lstat: (path) => ({ isFile: () => true, size: found(path).text.length }),
    readdir: (folder) => [...files.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path)),
    rm: (path) => files.delete(path),
    rename: (from, to) => files.set(to, found(from)) && files.delete(from),
  };
  const inTurn = Object.entries(operations).map(([name, operation]) => [
    name,
    async (path: string, to: string) => {
      await world.turn();
      return operation(path, to);
    },
  ]);
  const unused = { copyFile: undefined, access: undefined, mkdir: undefined, open: undefined, stat: undefined };
  return { ...unused, ...(Object.fromEntries(inTurn) as object) };
});

vi.mock("../../src/system/regular-files.ts", () => ({
  async readText(path: string) {
    await world.turn();
    const file = world.files.get(path);
    if (file === undefined) throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
    return file.text;
  },
}));

vi.mock("../../src/system/processes.ts", () => ({
  thisMachine: () => Promise.resolve("01234567"),
  thisProcess: () => Promise.resolve({ pid: world.pid, started: 0 }),
  fateOf: ({ pid }: { pid: number }) => Promise.resolve(world.dead.has(pid) ? "dead" : "alive"),
}));

const PATH = join("/run", "lock.json");
const PROCESSES = 3;
const LIVES = 8;

/** Runs processes that take a lock twice each, in an order and with kills that a seed decides. @throws when two have it at once */
async function runSchedule(seed: number): Promise<void> {
  const random = new Random(seed);
  const waiting = new Map<number, () => void>();
  const alive = new Set<number>();
  const failures: unknown[] = [];
  let holder = 0;
  let lives = 0;
  world.files.clear();
  world.dead.clear();
  world.turn = () => new Promise((resolve) => waiting.set(world.pid, resolve));

  const takeOnce = async (pid: number) => {
    const release = await tryLock(PATH, ({ fate }) => fate === "dead");
    if (typeof release !== "function") return false;
    if (alive.has(holder)) throw new Error(`order ${seed}: ${pid} has the lock, and ${holder} has it`);
    holder = pid;
    await world.turn();
    holder = 0;
    await release();
    return true;
  };
  const end = (pid: number) => {
    alive.delete(pid);
    world.dead.add(pid);
  };
  const live = async (pid: number) => {
    alive.add(pid);
    for (let taken = 0; taken < 2;) if (await takeOnce(pid)) taken++;
    end(pid);
  };
  while (lives < LIVES || alive.size > 0) {
    if (alive.size < PROCESSES && lives < LIVES) {
      world.pid = ++lives;
      live(lives).catch((error: unknown) => failures.push(error));
    } else {
      // long runs of one process between switches find what happens seldom sooner than a fair order
      const ready = [...waiting.keys()];
      world.pid = waiting.has(world.pid) && random.bernoulli(0.8) ? world.pid : random.choice(ready);
      const goOn = waiting.get(world.pid);
      waiting.delete(world.pid);
      if (random.bernoulli(0.1)) end(world.pid);
      else goOn?.();
    }
    await settled();
    if (failures.length > 0) throw failures[0];
  }
  world.turn = () => Promise.resolve();
  world.pid = LIVES + 1;
  expect([seed, await takeOnce(LIVES + 1), [...world.files.keys()]]).toEqual([seed, true, []]);
}

test("in any order, and with kills at any instant, one process at most has a lock, and none is held up by what is left", async () => {
  for (let seed = 1; seed <= 500; seed++) await runSchedule(seed);
});

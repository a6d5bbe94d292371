import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const SHIM = new URL("./kill-at.mjs", import.meta.url).href;

/** A change of a folder, as kill-at.mjs lists it. */
export interface Operation {
  readonly n: number;
  readonly name: string;
  readonly path: string;
  readonly to?: string;
  /** Whether it can be stopped midway. */
  readonly half: boolean;
  readonly thread: number;
}

/** Where a process is killed: {} nowhere. */
export interface KillPoint {
  readonly n?: number;
  readonly when?: "before" | "half" | "after";
}

export interface KillRun {
  /** Makes a fresh folder in the state to begin with. */
  readonly prepare: () => Promise<string>;
  /** What node runs on it. */
  readonly args: (folder: string) => readonly string[];
  /** Looks at the folder after a kill, here: goes on, and expects that nothing is lost and nothing is left. */
  readonly check: (folder: string, where: string) => Promise<void>;
}

/**
 * Runs a program once for each instant at which it can be killed: before each of its operations on the folder, midway through those
 * that have a middle, and after the last one; and once without a kill, before all others.
 * @returns the operations
 */
export async function atEveryKill({ prepare, args, check }: KillRun): Promise<readonly Operation[]> {
  const attempt = async (point: KillPoint, where: (operations: readonly Operation[]) => string) => {
    const folder = await prepare();
    const { code, signal, operations, stderr } = await runWithKill(args(folder), folder, point);
    const what = `${where(operations)}; it said: ${stderr}`;
    expect([signal ?? code, what]).toEqual([point.n === undefined ? 0 : "SIGKILL", what]);
    await check(folder, where(operations));
    await rm(folder, { recursive: true });
    return operations;
  };
  const operations = await attempt({}, () => "no kill");
  const points = operations.flatMap(({ n, name, half }): KillPoint[] => [
    // a flush changes nothing that is seen afterwards
    ...(name === "sync" ? [] : [{ n, when: "before" } as const]),
    ...(half ? [{ n, when: "half" } as const] : []),
    ...(n === operations.length ? [{ n, when: "after" } as const] : []),
  ]);
  const left = points.values();
  const inTurn = async () => {
    for (const point of left)
      await attempt(point, (seen) => {
        const { name, path } = seen.at(-1) ?? { name: "nothing", path: "" };
        return `killed ${point.when ?? ""} ${name} ${path} (operation ${point.n ?? 0} of ${operations.length})`;
      });
  };
  await Promise.all([inTurn(), inTurn()]);
  return operations;
}

/** Runs node on `args`, killed at a point of its work on a folder. */
export async function runWithKill(args: readonly string[], folder: string, { n, when = "before" }: KillPoint) {
  const list = `${folder}.operations`;
  const child = spawn(process.execPath, ["--import", SHIM, ...args], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: {
      ...process.env,
      RPO_KILL_UNDER: folder,
      RPO_KILL_LIST: list,
      ...(n !== undefined && { RPO_KILL_AT: String(n), RPO_KILL_WHEN: when }),
    },
    timeout: 30_000,
  });
  const stderr: Buffer[] = [];
  child.stderr.on("data", (part: Buffer) => stderr.push(part));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.on("close", (...end) => resolve(end)),
  );
  const lines = (await readFile(list, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  await rm(list, { force: true });
  const operations = lines.map((line) => JSON.parse(line) as Operation);
  return { code, signal, operations, stderr: Buffer.concat(stderr).toString() };
}

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { promisify } from "node:util";

/** What tells a process from the others of its machine: its number may be another program's by now. */
export interface ProcessMark {
  readonly pid: number;
  /** When it was started, in seconds since 1970, rounded; absent where only its birth is known. */
  readonly started?: number | undefined;
  /** A hash of what the system says of its start; absent where it says nothing. */
  readonly birth?: string | undefined;
}

/** "ending": it was killed, and what it is at may still reach the disk. One that is freeing its memory, or a zombie, is dead. */
export type Fate = "alive" | "ending" | "dead";

/** What a system tells of a process. */
interface Entry {
  readonly birth: string;
  /** In seconds since 1970. */
  readonly started: number;
  readonly fate: Fate;
}

/** How far apart two readings of one start may be: clocks are adjusted, and times are rounded. */
const SAME_START_SECONDS = 10;

const MAX_PID = 2 ** 31 - 1;

let own: ReturnType<typeof thisProcess> | undefined;

export function thisProcess(): Promise<ProcessMark & { readonly started: number }> {
  own ??= lookUp(process.pid).then((entry) => ({ pid: process.pid, started: startedAt(), birth: entry?.birth }));
  return own;
}

/** What a process of this machine is known by later on: its number, and when it was started where the system tells. */
export async function markOf(pid: number): Promise<ProcessMark> {
  const entry = await lookUp(pid);
  return { pid, started: entry && Math.round(entry.started), birth: entry?.birth };
}

let machine: Promise<string> | undefined;

/**
 * A hash of where numbers of processes mean the same. On Linux the start of the system and the namespace, for containers may have their host's
 * name, and a host may get another name while it runs; elsewhere the host's name.
 */
export function thisMachine(): Promise<string> {
  machine ??= Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(hostname),
    readlink("/proc/self/ns/pid").catch(() => ""),
  ]).then((parts) => hash(parts.join(" ")).slice(0, 8));
  return machine;
}

function startedAt(): number {
  return Math.round(Date.now() / 1000 - process.uptime());
}

/**
 * What became of a process of this machine, whoever runs it. One that has its number and was started at another time is another.
 *
 * Linux and macOS tell when a process was started. Elsewhere its number alone counts: asking Windows takes a second and a shell.
 */
export async function fateOf(mark: ProcessMark): Promise<Fate> {
  const { pid } = mark;
  if (!isTaken(pid)) return "dead";
  const entry = await lookUp(pid);
  if (isSameStart(mark, entry) === false) return "dead";
  // no entry may mean that it has just ended
  return entry?.fate ?? (isTaken(pid) ? "alive" : "dead");
}

/** Whether a process of this machine lives and is surely the one: not where its number alone could be compared. A signal must not reach another. */
export async function isSurelyAlive(mark: ProcessMark): Promise<boolean> {
  if (!isTaken(mark.pid)) return false;
  const entry = await lookUp(mark.pid);
  return isSameStart(mark, entry) === true && entry?.fate !== "dead";
}

/** @returns undefined where the mark or the system does not say when it was started */
function isSameStart({ pid, started, birth }: ProcessMark, entry: Entry | undefined): boolean | undefined {
  if (birth !== undefined && entry !== undefined) return birth === entry.birth;
  const start = entry?.started ?? (pid === process.pid ? startedAt() : undefined);
  if (started === undefined || start === undefined) return undefined;
  return Math.abs(start - started) <= SAME_START_SECONDS;
}

/** Whether some process has a number. To the system 0 and negative numbers are groups of processes. */
function isTaken(pid: number): boolean {
  if (pid < 1 || pid !== Math.trunc(pid) || pid > MAX_PID) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** @returns undefined where the system does not tell, or the process is gone */
async function lookUp(pid: number): Promise<Entry | undefined> {
  try {
    if (process.platform === "linux") return await lookUpLinux(pid);
    if (process.platform === "darwin") return await lookUpMac(pid);
  } catch {
    // gone, or another user's that is hidden
  }
  return undefined;
}

const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** The kernel's PF_EXITING: the thread will make no call any more, and may free gigabytes for seconds. */
const EXITING = 4;
/** SIGKILL in a mask of signals. */
const KILL = 1n << 8n;
/** Of /proc's times, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** proc_pid_stat(5), proc_pid_status(5) */
async function lookUpLinux(pid: number): Promise<Entry | undefined> {
  // a /proc of another namespace numbers processes otherwise
  if ((await readlink("/proc/self")) !== String(process.pid)) return undefined;
  const leader = await readStat(`/proc/${pid}`);
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const bootTime = Number(/^btime (\d+)$/m.exec(await readFile("/proc/stat", "utf8"))?.[1]);
  const threads = await Promise.all(
    (await readdir(`/proc/${pid}/task`)).map((thread) =>
      // one that is gone is over
      readStat(`/proc/${pid}/task/${thread}`).catch(() => ({ isOver: true })),
    ),
  );
  const isKilled = /^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm;
  const pending = (await readFile(`/proc/${pid}/status`, "utf8")).matchAll(isKilled);
  const ending = leader.isOver || [...pending].some(([, mask]) => (BigInt(`0x${mask}`) & KILL) !== 0n);
  return {
    birth: hash(`${boot} ${leader.ticks}`),
    started: bootTime + leader.ticks / TICKS_PER_SECOND,
    fate: threads.every(({ isOver }) => isOver) ? "dead" : ending ? "ending" : "alive",
  };
}

/** Resident memory of a process in bytes; undefined where the system is not asked (all but Linux), or it is gone. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(text) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

async function readStat(folder: string) {
  return parseStat(await readFile(`${folder}/stat`, "utf8"));
}

/** When a thread was started, in ticks since the machine was, and whether it will make no call any more. */
export function parseStat(text: string): { readonly ticks: number; readonly isOver: boolean } {
  // the second field, the program's name in parentheses, may hold anything; the third is the state
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, flags, ticks] = [fields[0], Number(fields[9 - 3]), Number(fields[22 - 3])];
  return { ticks, isOver: /[ZX]/.test(state) || (flags & EXITING) !== 0 };
}

async function lookUpMac(pid: number): Promise<Entry | undefined> {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=,stat=", "-p", String(pid)], { env });
  return parsePs(stdout);
}

/** "Sat Nov 28 05:11:43 2026     S+": Z is a zombie, E a process that is trying to exit (ps(1)). */
export function parsePs(text: string): Entry | undefined {
  const [, start, state] = /^\s*(\S.*\S)\s+(\S+)\s*$/.exec(text) ?? [];
  if (start === undefined || state === undefined) return undefined;
  const birth = hash(start);
  const started = Date.parse(`${start} UTC`) / 1000;
  return { birth, started, fate: state.startsWith("Z") ? "dead" : state.includes("E") ? "ending" : "alive" };
}

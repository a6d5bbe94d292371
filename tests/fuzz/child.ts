import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Random } from "../../src/tensor/random.ts";
import type { Bomb } from "./bombs.ts";
import { modelTargets } from "./models.ts";
import { mutate, type Files } from "./mutate.ts";
import { runTargets } from "./runs.ts";
import { strangeFiles } from "./strange.ts";
import { oddity } from "./target.ts";

/**
 * The process in which cases run: it may hang or run out of memory, which its parent sees. It is told a target and a number, and answers
 * with what came out; the same two give the same case.
 */

export interface Order {
  readonly target: string;
  readonly seed: number;
  /** Absent: the valid files. */
  readonly number?: number;
  /** Changes of JSON files: entries by file, laid over what is there. */
  readonly changes?: Bomb["changes"];
  readonly texts?: Bomb["texts"];
  readonly swapped?: Bomb["swapped"];
  /** Where to leave the case's files. */
  readonly keep?: string;
}

export interface Outcome {
  /** Which file was changed, and how. */
  readonly what: string;
  /** What is wrong; undefined where it was read or refused as it should be. */
  readonly problem: string | undefined;
  readonly refused: boolean;
  /** Of the processor's time, whoever else uses it. */
  readonly seconds: number;
  /** By how much the process grew beyond what it had ever held. */
  readonly grownBytes: number;
}

const root = process.argv[2];
const targets = { ...modelTargets(root), ...runTargets(root) };
const folder = await mkdtemp(join(tmpdir(), "rpo-fuzz-"));
const strange = await strangeFiles();
const loaded = new Map<string, Files>();

process.send?.({ targets: Object.keys(targets) });
process.on("message", (order: Order) => {
  void run(order).then((outcome) => process.send?.(outcome));
});
process.on("disconnect", () => {
  void rm(folder, { recursive: true, force: true }).then(() => process.exit());
});

async function run({
  target: name,
  seed,
  number,
  changes = {},
  texts = {},
  swapped = {},
  keep,
}: Order): Promise<Outcome> {
  const target = targets[name];
  const files = loaded.get(name) ?? (await target.files());
  loaded.set(name, files);
  const here = join(folder, "case");
  await rm(here, { recursive: true, force: true });
  for (const [path, bytes] of files) await put(join(here, path), bytes);
  let what = "valid files";
  if (number !== undefined) {
    const mutable = new Map([...files].filter(([path]) => target.kept?.test(path) !== true));
    const { path, how, bytes } = mutate(mutable, strange, new Random(seed).split(name, number));
    await put(join(here, path), bytes);
    what = `${path}: ${how}`;
  }
  for (const [path, entries] of Object.entries(changes)) {
    const before: unknown = JSON.parse(files.get(path)?.toString() ?? "{}");
    await put(join(here, path), Buffer.from(JSON.stringify(laidOver(before, entries))));
    what = path;
  }
  for (const [path, [pattern, by]] of Object.entries(texts)) {
    const before = files.get(path)?.toString() ?? "";
    const after = before.replace(pattern, by);
    if (after === before) throw new Error(`${path} holds no ${String(pattern)}`);
    await put(join(here, path), Buffer.from(after));
    what = path;
  }
  for (const [path, kind] of Object.entries(swapped)) {
    const content = strange.get(kind);
    if (content === undefined || !files.has(path)) throw new Error(`no ${kind} for ${path}`);
    await put(join(here, path), content);
    what = path;
  }
  if (keep !== undefined) await cp(here, keep, { recursive: true });
  const before = process.resourceUsage().maxRSS;
  const started = process.cpuUsage();
  const says = new RegExp(target.says ?? here.replaceAll("\\", "\\\\"));
  const outcome = await target.read(here).then(
    (value) => ({ problem: oddity(value), refused: false }),
    (error: unknown) => ({ problem: problemOf(error, says), refused: true }),
  );
  const { user, system } = process.cpuUsage(started);
  return {
    what,
    ...outcome,
    seconds: (user + system) / 1e6,
    grownBytes: (process.resourceUsage().maxRSS - before) * 1024,
  };
}

function laidOver(before: unknown, entries: object): unknown {
  const isPlain = (value: unknown): value is object =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isPlain(before)) return entries;
  const inner = Object.entries(entries).map(([key, value]: [string, unknown]) => {
    const old = (before as Record<string, unknown>)[key];
    return [key, isPlain(value) ? laidOver(old, value) : value] as const;
  });
  return { ...before, ...Object.fromEntries(inner) };
}

async function put(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/** What is wrong with an error: it should be one of the two kinds of wrong input, in a line that names the file. */
function problemOf(error: unknown, says: RegExp): string | undefined {
  if (!(error instanceof Error)) return `no error but ${String(error)}`;
  const { name, message, stack } = error;
  if (name !== "UsageError" && name !== "ModelError") return `not refused but ${stack?.slice(0, 1500) ?? message}`;
  if (message.includes("\n")) return `a message of several lines: ${message.slice(0, 300)}`;
  if (message.length > 2100) return `a message of ${message.length} letters: ${message.slice(0, 300)}`;
  if (!says.test(message)) return `a message that does not name the file: ${message}`;
  return undefined;
}

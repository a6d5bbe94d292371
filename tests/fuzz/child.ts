import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Random } from "../../src/tensor/random.ts";
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
  /** undefined: the valid files. */
  readonly number: number | undefined;
  /** Where to leave the case's files. */
  readonly keep?: string;
}

export interface Outcome {
  /** Which file was changed, and how. */
  readonly what: string;
  /** What is wrong; undefined where it was read or refused as it should be. */
  readonly problem: string | undefined;
  readonly refused: boolean;
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

async function run({ target: name, seed, number, keep }: Order): Promise<Outcome> {
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
  if (keep !== undefined) await cp(here, keep, { recursive: true });
  const before = process.resourceUsage().maxRSS;
  const started = performance.now();
  const says = new RegExp(target.says ?? here.replaceAll("\\", "\\\\"));
  const outcome = await target.read(here).then(
    (value) => ({ problem: oddity(value), refused: false }),
    (error: unknown) => ({ problem: problemOf(error, says), refused: true }),
  );
  return {
    what,
    ...outcome,
    seconds: (performance.now() - started) / 1000,
    grownBytes: (process.resourceUsage().maxRSS - before) * 1024,
  };
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

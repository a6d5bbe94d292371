import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { selectCheckpoint } from "../../src/runs/selection.ts";
import { TRAIN_DEFAULTS } from "../../src/settings/train-settings.ts";
import { digestOf } from "../../src/system/digest.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { eventsOf, makePhotos, root, temporaryFolder } from "../run/cli.ts";
import { IS_THOROUGH } from "../thorough.ts";
import { builtScript } from "./built-script.ts";

/**
 * A run is killed before and midway through each change that its last save makes on the disk; the next command repairs what is left, and the
 * run ends as the one that was not killed, in every file. All of them take some minutes: RPO_KILLS=all npx vitest run tests/faults; the suite
 * tries some, other ones for each kind of run.
 */
const STRIDE = process.env["RPO_KILLS"] === "all" ? 1 : IS_THOROUGH ? 8 : 24;

const photos = await makePhotos(2);
const makeBelieve = await builtScript(join(root, "tests/faults/make-believe.ts"));

interface Operation {
  readonly n: number;
  readonly name: string;
  readonly path: string;
  readonly half: boolean;
}
interface Kill {
  readonly at: number;
  readonly when: "before" | "half";
  readonly what: string;
}

const KINDS = [
  { kind: "lora", first: 0, more: { adapter: "lora", steps: 3, validateEvery: 1 } },
  { kind: "full", first: 3, more: { adapter: "full", steps: 2, validateEvery: 2 } },
  { kind: "full, with checkpoints to remove", first: 6, more: { adapter: "full", steps: 9, validateEvery: 1 } },
] as const;

describe.each(KINDS)("a run that is killed in its last save: $kind", ({ first, more }) => {
  let begun = "";
  let whole = "";
  let kills: Kill[] = [];
  beforeAll(async () => {
    begun = join(await temporaryFolder(), "run");
    expect(await believe(begun, more, { flags: ["--stop-after", String(more.steps - 1)] })).toBe("interrupted");
    whole = await copy(begun);
    const list = join(await temporaryFolder(), "operations.jsonl");
    expect(await believe(whole, more, { flags: ["--resume"], env: { RPO_KILL_LIST: list } })).toBe("steps");
    kills = killsOf(await readFile(list, "utf8"), whole);
  }, 120_000);

  test("ends as if it had not been, whatever was half done", { timeout: 3_600_000 }, async () => {
    const expected = await contentOf(whole);
    expect(kills.length).toBeGreaterThan(50);
    for (const { at, when, what } of kills.filter((_, i) => i % STRIDE === first % STRIDE)) {
      const where = `killed ${when} ${at}: ${what}`;
      const run = await copy(begun);
      const env = { RPO_KILL_AT: String(at), RPO_KILL_WHEN: when };
      expect(await believe(run, more, { flags: ["--resume"], env }), where).toBe("SIGKILL");

      await selectCheckpoint(run, { lambda: 0.5 });
      expect((await filesOf(run)).filter(isLeftover), `after select, ${where}`).toEqual([]);

      expect(await believe(run, more, { flags: ["--resume"] }), where).toMatch(/^(steps|finished-before)$/);
      expect(await contentOf(run), where).toEqual(expected);
    }
  });
});

/** Runs make-believe.ts under the shim that kills. @returns what the training ended with, or the signal that ended it */
async function believe(
  run: string,
  more: Readonly<Record<string, unknown>>,
  { flags, env = {} }: { readonly flags: readonly string[]; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const request = join(await temporaryFolder(), "request.json");
  const settings = { model: "m", reward: "r", images: photos, class: "dog", negatives: 1, threads: 1 };
  const few = { validationImages: 1, validationSteps: 2, earlyStopping: false };
  await writeFile(request, JSON.stringify({ ...TRAIN_DEFAULTS, ...settings, ...few, ...more, output: run }));
  const child = spawn(
    process.execPath,
    ["--import", join(root, "tests/faults/kill-at.mjs"), makeBelieve, request, ...flags],
    { env: { ...process.env, RPO_KILL_UNDER: run, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return signal ?? (code === 0 ? stdout.trim() : stderr);
}

async function copy(begun: string): Promise<string> {
  const run = join(await temporaryFolder(), "run");
  await cp(begun, run, { recursive: true });
  return run;
}

/** Before each operation of the shim's list and, where it has one, at its half. A kill after one is a kill before the next. */
function killsOf(list: string, run: string): Kill[] {
  const operations = list
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Operation);
  return operations.flatMap(({ n, name, path, half }): Kill[] => {
    const what = `${name} ${path.slice(run.length + 1)}`;
    return [{ at: n, when: "before", what }, ...(half ? [{ at: n, when: "half", what } as const] : [])];
  });
}

function isLeftover(name: string): boolean {
  return name.endsWith(".tmp") || name.startsWith("lock.json");
}

async function filesOf(run: string): Promise<string[]> {
  const entries = await readdir(run, { recursive: true, withFileTypes: true });
  return entries.map(({ parentPath, name }) => join(parentPath, name).slice(run.length + 1)).sort();
}

/** Everything in a run's folder, by its path; seconds are left out, and what is made of them. */
async function contentOf(run: string): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  for (const name of await filesOf(run)) {
    const path = join(run, name);
    if (name === "events.jsonl") content[name] = (await eventsOf(run)).filter(isLasting);
    else if (name === "state.json") {
      const { step, finished } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
      content[name] = { step, finished };
    } else if (name.startsWith("state.")) {
      const file = await openSafetensors(path);
      for (const tensor of file.tensors.keys()) content[`${name} ${tensor}`] = (await file.read(tensor)).data;
    } else content[name] = await digestOf(path).catch(() => "a folder");
  }
  return content;
}

/** A stop by Ctrl-C is not in the log of a run that went on. */
function isLasting(event: unknown): boolean {
  return (event as { readonly reason?: string }).reason !== "interrupted";
}

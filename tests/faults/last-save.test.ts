import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { selectCheckpoint } from "../../src/rpo/selection.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { eventsOf, makePhotos, root, rpo, temporaryFolder } from "../run/cli.ts";
import { atStep, runHere, shortRequest } from "../run/in-process.ts";

/**
 * A run is killed at each change that its last save makes on the disk, the next command repairs what is left, and the run ends as the one
 * that was not killed, in every file. All of them take minutes: RPO_KILLS=all npx vitest run tests/faults/last-save.test.ts; the suite
 * tries some, other ones for each kind of run.
 */
const STRIDE = process.env["RPO_KILLS"] === "all" ? 1 : 11;

const photos = await makePhotos(2);

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
  { kind: "full", first: 4, more: { adapter: "full", steps: 2, validateEvery: 2 } },
  { kind: "full, with checkpoints to remove", first: 8, more: { adapter: "full", steps: 8, validateEvery: 1 } },
] as const;

describe.each(KINDS)("a run that is killed in its last save: $kind", ({ first, more }) => {
  let begun = "";
  let whole = "";
  let kills: Kill[] = [];

  /** Goes on with a copy of the run. @param env what the shim is told */
  const goOn = async (run: string, env: Readonly<Record<string, string>> = {}) => {
    const shim = `--import=${join(root, "tests/faults/kill-at.mjs")}`;
    return rpo(["train", "--resume", "--output", run, "--yes", "--json"], {
      env: { NODE_OPTIONS: shim, RPO_KILL_UNDER: run, ...env },
    });
  };
  const copy = async () => {
    const run = join(await temporaryFolder(), "run");
    await cp(begun, run, { recursive: true });
    return run;
  };

  beforeAll(async () => {
    begun = join(await temporaryFolder(), "run");
    const request = await shortRequest(photos, { ...more, learningRate: 5e-2, output: begun });
    expect((await runHere(request, { until: atStep(more.steps - 1) })).reason).toBe("interrupted");
    whole = await copy();
    const list = join(await temporaryFolder(), "operations.jsonl");
    const { code, stderr } = await goOn(whole, { RPO_KILL_LIST: list });
    expect(code, stderr).toBe(0);
    const operations = (await readFile(list, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Operation);
    kills = operations.flatMap(({ n, name, path, half }): Kill[] => {
      const what = `${name} ${path.slice(whole.length + 1)}`;
      return [{ at: n, when: "before", what }, ...(half ? [{ at: n, when: "half", what } as const] : [])];
    });
  }, 120_000);

  test(
    "ends as if it had not been, whatever was half done",
    { timeout: STRIDE === 1 ? 3_600_000 : 240_000 },
    async () => {
      const expected = await contentOf(whole);
      expect(kills.length).toBeGreaterThan(50);
      for (const { at, when, what } of kills.filter((_, i) => i % STRIDE === first % STRIDE)) {
        const where = `killed ${when} ${at}: ${what}`;
        const run = await copy();
        const killed = await goOn(run, { RPO_KILL_AT: String(at), RPO_KILL_WHEN: when });
        expect(killed.code, `${where}\n${killed.stderr}`).toBe(null);

        await selectCheckpoint(run, 0.5);
        expect((await filesOf(run)).filter(isLeftover), `after select, ${where}`).toEqual([]);

        const resumed = await goOn(run);
        expect(resumed.code, `${where}\n${resumed.stderr}`).toBe(0);
        expect(await contentOf(run), where).toEqual(expected);
      }
    },
  );
});

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
    } else content[name] = await readFile(path, "base64").catch(() => "a folder");
  }
  return content;
}

/** A stop by Ctrl-C is not in the log of a run that went on. */
function isLasting(event: unknown): boolean {
  return (event as { readonly reason?: string }).reason !== "interrupted";
}

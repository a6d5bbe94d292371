import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { eventsOf, root as packageRoot, rpo } from "../run/cli.ts";
import { some } from "../thorough.ts";
import { FROZEN, thaw } from "./frozen.ts";

/** This version reads folders that earlier versions have written, and continues them. */

const RUNS = ["lora", "full", "resumed", "miniature", "interrupted", "killed", "full-interrupted"] as const;
const UNFINISHED = ["interrupted", "killed", "full-interrupted"] as const;

async function done(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await rpo(args);
  expect(code, stderr).toBe(0);
  return stdout;
}
const json = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
const pictures = async (folder: string) => (await readdir(folder)).filter((name) => name.endsWith(".png"));

describe.each(FROZEN)("what rpo wrote %s", (frozen) => {
  test.each(some(RUNS, FROZEN.length, FROZEN.indexOf(frozen)))(
    "a run: %s is reported, selected from, drawn with and exported",
    { timeout: 120_000 },
    async (name) => {
      const run = join(await thaw(frozen, name), name);
      const before = await json(join(run, "best.json"));

      await done(["report", run]);
      const page = await readFile(join(run, "report.html"), "utf8");
      expect(page.match(/data:image\/[a-z]+;base64/g)?.length).toBeGreaterThan(5);

      const selected = JSON.parse(await done(["select", run, "--lambda", "0.5", "--json"])) as { step: number };
      if (name !== "resumed") expect(selected.step).toBe(before["step"]); // which was selected at .2
      expect(await json(join(run, "best.json"))).toMatchObject({ lambda: 0.5, step: selected.step });

      const output = join(run, "drawn");
      const prompt = ["--prompt", "a [V] dog on the Moon", "-n", "1", "--steps", "2"];
      await done(["generate", "--adapter", run, ...prompt, "--output", output]);
      expect(await pictures(output)).toHaveLength(1);

      const [step] = (await readdir(join(run, "checkpoints")).catch((): string[] => [])).sort().slice(-1);
      if (step === undefined) return; // stopped before the first
      const kind = name.startsWith("full") ? "diffusers" : "peft";
      const exported = join(run, "exported");
      await done(["export", join(run, "checkpoints", step), "--format", kind, "--output", exported]);
      expect(await readdir(exported)).toContain(kind === "peft" ? "adapter_model.safetensors" : "model_index.json");
    },
  );

  test("a run that measured no anchors is refused the calibrated reward, and keeps its choice", async () => {
    const run = join(await thaw(frozen, "lora"), "lora");
    const before = await readFile(join(run, "best.json"), "utf8");
    const { code, stderr } = await rpo(["select", run, "--reward-form", "calibrated"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--reward-form calibrated: .* did not measure what it needs .*; use --reward-form harmonic/);
    expect(await readFile(join(run, "best.json"), "utf8")).toBe(before);
  });

  test.each(some(UNFINISHED, FROZEN.length, FROZEN.indexOf(frozen)))(
    "a run that was stopped: %s goes on to its end",
    { timeout: 120_000 },
    async (name) => {
      const run = join(await thaw(frozen, name), name);
      const whole = join(packageRoot, "tests", "frozen", frozen, name.startsWith("full") ? "full" : "lora");
      await done(["train", "--resume", "--output", run, "--yes", "--json"]);
      const [ended, expected] = [await eventsOf(run), await eventsOf(whole)];
      expect(ended.filter(isLasting).map(kindOf)).toEqual(expected.filter(isLasting).map(kindOf));
      // other processors round otherwise
      for (const [i, event] of ended.filter(isStep).entries()) {
        const { sim, pref } = expected.filter(isStep)[i];
        expect(event.sim).toBeCloseTo(sim, 3);
        expect(event.pref).toBeCloseTo(pref, 3);
      }
      expect((await readdir(join(run, "checkpoints"))).sort()).toEqual(["000002", "000004", "000006"]);
    },
  );

  test.each(["lora", "resumed", "miniature"])("a finished run: %s stays as it is", async (name) => {
    const run = join(await thaw(frozen, name), name);
    const before = await readFile(join(run, "events.jsonl"));
    const { code, stderr } = await rpo(["train", "--resume", "--output", run, "--yes"]);
    expect(code, stderr).toBe(0);
    expect(await readFile(join(run, "events.jsonl"))).toEqual(before);
  });

  test("a benchmark is reported, and goes on without doing anything again", { timeout: 120_000 }, async () => {
    const bench = join(await thaw(frozen, "bench"), "bench");
    const rows = await readFile(join(bench, "results.jsonl"), "utf8");
    await done(["bench", "report", bench]);
    expect(await readFile(join(bench, "report.html"), "utf8")).toContain("dog");
    await done(["bench", "status", bench]);
    // what the embedded model proposed when it was begun
    const prompts = join(import.meta.dirname, "proposed-prompts-live.json");
    const proposed = { prompts, beta: 1, validateEvery: 20, rewardForm: "harmonic", patience: 4 };
    const settings = { ...proposed, rank: 2, loraAlpha: 2, validationImages: 1, validationSteps: 4, negatives: 1 };
    const { code, stderr } = await benchAgain(bench, settings);
    expect(code, stderr).toBe(0);
    expect(await readFile(join(bench, "results.jsonl"), "utf8")).toBe(rows);
  });
});

async function benchAgain(bench: string, settings: Readonly<Record<string, number | string>>) {
  const config = `${bench}.json`;
  await writeFile(config, JSON.stringify(settings));
  return rpo([
    ...["bench", "tinybench", "--output", bench, "--judges", "tiny", "--subjects", "dog", "--steps", "4"],
    ...["--methods", "references,base,l-sim,rpo", "--prompts-per-subject", "2", "--pictures", "1"],
    ...["--drawing-steps", "2", "--adapter", "lora", "--threads", "1", "--config", config],
  ]);
}

interface StepLike {
  readonly type: "step";
  readonly sim: number;
  readonly pref: number;
}
function isStep(event: unknown): event is StepLike {
  return kindOf(event).startsWith("step ");
}
/** A run that was stopped may have said so; its later reader forgets it. */
function isLasting(event: unknown): boolean {
  return !kindOf(event).startsWith("stop");
}
function kindOf(event: unknown): string {
  const { type, step = "" } = event as { readonly type: string; readonly step?: number };
  return `${type} ${step}`;
}

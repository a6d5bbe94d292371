import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MODEL, REWARD, rpo, temporaryFolder } from "../run/cli.ts";

/** The demo on the golden checkpoints, whose weights are random: what it shows is nothing, but all of its pieces run. */
async function demo(output: string, steps: number, options: Parameters<typeof rpo>[1] = {}) {
  const config = join(await temporaryFolder(), "settings.json");
  const settings = { validationImages: 1, validationSteps: 2, negatives: 1, validateEvery: steps / 2, resolution: 32 };
  await writeFile(config, JSON.stringify(settings));
  const models = ["--model", MODEL, "--reward", REWARD, "--config", config, "--threads", "1"];
  return rpo(["demo", ...models, "--subject", "dog", "--steps", String(steps), "--output", output], options);
}

interface Validation {
  readonly type: string;
  readonly step: number;
  readonly images: readonly { readonly alignI: number; readonly alignT: number }[];
}

async function validationsOf(run: string): Promise<Validation[]> {
  const lines = (await readFile(join(run, "events.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Validation).filter(({ type }) => type === "validation");
}

test(
  "the demo trains twice on one subject, compares on the same pictures and writes the report",
  { timeout: 240_000 },
  async () => {
    const output = join(await temporaryFolder(), "demo");
    const { code, stdout, stderr } = await demo(output, 4);
    expect(code, stderr).toBe(0);
    const [, ...rows] = stdout.trim().split("\n");
    const labels = rows.map((row) => row.slice(0, 20).trim());
    expect([...new Set(labels)]).toEqual(["starting model", "photos alone (L_sim)", "RPO"]);
    // each lambda chooses one of the run's models, or the starting model, and one of the photos alone
    const ofRun = rows.filter((_, i) => labels[i] !== "photos alone (L_sim)");
    expect(ofRun.join("").match(/\*/g)).toHaveLength(3);
    // the last of both stand side by side, at the same step
    const steps = (label: string) =>
      rows.filter((_, i) => labels[i] === label).map((row) => Number(row.slice(20).trim().split(/\s+/)[0]));
    expect(steps("RPO").at(-1)).toBe(4);
    expect(steps("photos alone (L_sim)").at(-1)).toBe(4);
    const [start] = await validationsOf(output);
    const alone = await validationsOf(join(output, "photos-alone"));
    expect(alone.map(({ step }) => step)).toEqual([0, 2, 4]);
    expect(alone[0].images.map(({ alignI }) => alignI)).toEqual(start.images.map(({ alignI }) => alignI));
    const mean = start.images.reduce((sum, { alignT }) => sum + alignT, 0) / start.images.length;
    expect(rows[0]).toContain(mean.toFixed(3).slice(1));
    expect((await readFile(join(output, "report.html"), "utf8")).includes("photos alone")).toBe(true);

    const again = await demo(output, 4);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/already holds a run that is finished/);
  },
);

test("a demo that was interrupted goes on", { timeout: 240_000 }, async () => {
  const output = join(await temporaryFolder(), "demo");
  const stopped = await demo(output, 16, { interruptWhen: /^training/m });
  expect(stopped.code, stopped.stderr).toBe(130);
  const [, goOn] = /rpo (demo .*) goes on/.exec(stopped.stderr + stopped.stdout) ?? [];
  expect(goOn).toBe(`demo --subject dog --output ${output}`);
  const before = await readFile(join(output, "config.json"), "utf8");
  const { code, stderr } = await rpo(goOn.split(" "));
  expect(code, stderr).toBe(0);
  expect(await readFile(join(output, "config.json"), "utf8")).toBe(before);
});

test("subjects are listed by name, and another name is refused with the list", async () => {
  const { code, stdout } = await rpo(["demo", "--list-subjects"]);
  expect(code).toBe(0);
  const names = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0]);
  expect(names.length).toBeGreaterThanOrEqual(6);
  const unknown = await rpo(["demo", "--subject", "unicorn"]);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain(names.join(", "));
});

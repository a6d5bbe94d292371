import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exists } from "../../src/system/files.ts";
import { Random } from "../../src/tensor/random.ts";
import { checkpointBytes, eventsOf, makePhotos, rpo, SDXL, temporaryFolder, trainingArgs, type Kill } from "./cli.ts";
import { IS_THOROUGH } from "../thorough.ts";

const photos = await makePhotos();
const base = trainingArgs(photos);
const short = [
  "--steps",
  "12",
  "--validate-every",
  "4",
  "--validation-images",
  "1",
  "--validation-steps",
  "3",
  "--negatives",
  "1",
  "--no-early-stopping",
  "--lr",
  "1e-3",
];

/** How often each run is killed: `RPO_KILLS=30 npx vitest run tests/run -t killed` for more than the suite's few, and says where. */
const KILLS = Number(process.env["RPO_KILLS"] ?? (IS_THOROUGH ? 4 : 2));

/** The last event that a killed run has recorded, and which of its files it left half done. */
async function whereItDied(run: string): Promise<string> {
  const last = (await readFile(join(run, "events.jsonl"), "utf8").catch(() => "")).trim().split("\n").at(-1) ?? "";
  const left = (await readdir(run, { recursive: true }).catch((): string[] => [])).filter((name) =>
    name.includes(".tmp"),
  );
  return [last.slice(0, 30), ...left].join(" ");
}

describe.each(["lora", "full"])("a run with --adapter %s", (adapter) => {
  test(
    "ends bit for bit as an uninterrupted one, killed at any instants",
    { timeout: 60_000 * (2 + KILLS) },
    async () => {
      const args = [...base, ...short, "--adapter", adapter, "--json"];
      const whole = join(await temporaryFolder(), "whole");
      expect((await rpo([...args, "--output", whole])).code).toBe(0);

      const rng = new Random(KILLS);
      let broken = "";
      const died: string[] = [];
      const goOn = async (kill?: Kill) => {
        const begun = (await readdir(broken).catch((): string[] => [])).includes("config.json");
        const { code, stderr } = await rpo([...args, "--output", broken, ...(begun ? ["--resume"] : [])], { kill });
        if (code === null) return died.push(await whereItDied(broken));
        expect(code, stderr).toBe(0);
        expect(await eventsOf(broken)).toEqual(await eventsOf(whole));
        expect(await checkpointBytes(broken)).toEqual(await checkpointBytes(whole));
        broken = "";
        return died.length;
      };
      // a run that ends before it is killed is compared, and another one is begun
      while (died.length < KILLS) {
        if (broken === "") broken = join(await temporaryFolder(), "broken");
        await goOn({ afterLines: rng.integer(30), afterMs: 80 * rng.uniform() ** 2 });
      }
      if (process.env["RPO_KILLS"] !== undefined) process.stderr.write(`killed after\n  ${died.join("\n  ")}\n`);
      if (broken !== "") await goOn();
    },
  );
});

test("Ctrl-C saves and exits 130, and --resume goes on to the same end", { timeout: 240_000 }, async () => {
  const args = [...base, ...short, "--steps", "150", "--validate-every", "150", "--json"];
  const run = join(await temporaryFolder(), "run");
  const stopped = await rpo([...args, "--output", run], { interruptWhen: /^training/m });
  expect(stopped.code, stopped.stderr).toBe(130);
  const { step } = JSON.parse(await readFile(join(run, "state.json"), "utf8")) as { step: number };
  expect(step).toBeGreaterThan(0);
  const resume = ["train", "--resume", "--output", run, "--yes", ...args.slice(1)];
  await writeFile(
    join(run, "lock.json"),
    JSON.stringify({ host: hostname(), pid: process.pid, started: Date.now() / 1000 - process.uptime() }),
  );
  const second = await rpo(resume);
  expect([second.code, second.stderr]).toEqual([2, expect.stringContaining("another rpo train works here")]);
  await rm(join(run, "lock.json"));
  const [folder, elsewhere] = [photos, join(await temporaryFolder(), "elsewhere")];
  await rename(folder, elsewhere);
  const lost = await rpo(["train", "--resume", "--output", run]);
  expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining("say where they are with --images")]);
  const resumed = await rpo(["train", "--resume", "--output", run, "--yes", "--images", elsewhere]);
  await rename(elsewhere, folder);
  expect(resumed.code, resumed.stderr).toBe(0);
  const steps = (await eventsOf(run)).filter((event) => (event as { type: string }).type === "step");
  expect(steps.map((event) => (event as { step: number }).step)).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
});

test("Ctrl-C leaves at once while there is nothing to save", async () => {
  const output = join(await temporaryFolder(), "run");
  const { stderr } = await rpo([...base, ...short, "--output", output], { interruptWhen: /^loading/m });
  expect(stderr).toContain("nothing to save yet");
  expect(stderr).not.toMatch(/^training/m);
  expect(await exists(output)).toBe(false);
});

test("a training does not write into a benchmark's folder", async () => {
  const output = await temporaryFolder();
  await writeFile(join(output, "bench.json"), "{}");
  const { code, stderr } = await rpo([...base, ...short, "--output", output]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("already holds a benchmark")]);
});

test("generate draws with a run, and the same seed gives the same picture", { timeout: 240_000 }, async () => {
  const folder = await temporaryFolder();
  const run = join(folder, "run");
  expect((await rpo([...base, ...short, "--output", run])).code).toBe(0);
  const draw = (output: string) =>
    rpo([
      "generate",
      "--adapter",
      run,
      "--prompt",
      "a [V] dog",
      "-n",
      "2",
      "--steps",
      "3",
      "--threads",
      "1",
      "--output",
      join(folder, output),
    ]);
  expect((await draw("a")).code).toBe(0);
  expect((await draw("b")).code).toBe(0);
  expect(await readFile(join(folder, "a/1.png"))).toEqual(await readFile(join(folder, "b/1.png")));
  const again = await draw("a");
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("exists");
});

test("SDXL learns with its two text encoders, and draws with what it has learnt", { timeout: 120_000 }, async () => {
  const run = join(await temporaryFolder(), "run");
  const model = ["--model", SDXL, "--steps", "2", "--validate-every", "2", "--lr", "3e-2"];
  const trained = await rpo([...base, ...short, ...model, "--output", run, "--memory", "low"]);
  expect(trained.code, trained.stderr).toBe(0);
  const draw = async (...flags: string[]) => {
    const output = join(await temporaryFolder(), "pictures");
    const drawing = ["--prompt", "a [V] dog", "--seed", "3", "--steps", "2", "--output", output];
    const { code, stderr } = await rpo(["generate", "--model", SDXL, ...flags, ...drawing]);
    expect(code, stderr).toBe(0);
    return readFile(join(output, "3.png"));
  };
  const adapter = join(run, "checkpoints", "000002");
  expect(await draw("--adapter", adapter)).not.toEqual(await draw());
});

describe("wrong input is one clear line and nothing is written", () => {
  const cases: [name: string, args: string[], code: number, message: RegExp][] = [
    ["lambda out of range", ["--lambda", "1.5"], 2, /--lambda "1.5": expected a number from 0 to 1/],
    ["steps that are no number", ["--steps", "many"], 2, /--steps "many": expected an integer/],
    ["an empty class", ["--class", ""], 2, /--class "": expected a word/],
    ["an unknown flag", ["--bogus", "1"], 2, /unknown option '--bogus'/],
    [
      "a missing image folder",
      ["--images", "/nowhere"],
      2,
      /--images \/nowhere: no such folder \(expected a folder with pictures\)/,
    ],
    ["a missing model", ["--model", "/nowhere"], 2, /--model \/nowhere: no such folder/],
    ["nothing to resume", ["--resume"], 2, /no run in .* to continue/],
    ["a resolution that does not fit", ["--resolution", "17"], 2, /--resolution 17: expected a multiple of/],
  ];
  test.each(cases)("%s", async (_name, extra, code, message) => {
    const output = join(await temporaryFolder(), "run");
    const { code: got, stderr } = await rpo([...base, "--output", output, ...extra]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(6);
    expect(got).toBe(code);
    await expect(readdir(output)).rejects.toThrow();
  });

  test("text named .jpg", async () => {
    const folder = await makePhotos(1);
    await writeFile(join(folder, "z.jpg"), "this is no picture");
    const { code, stderr } = await rpo([...base, "--images", folder, "--output", join(await temporaryFolder(), "run")]);
    expect(code).toBe(2);
    expect(stderr).toContain("z.jpg");
    await rm(folder, { recursive: true });
  });

  test("a run in the output folder", async () => {
    const output = await temporaryFolder();
    await writeFile(join(output, "config.json"), "{}");
    const { code, stderr } = await rpo([...base, "--output", output]);
    expect(code).toBe(2);
    expect(stderr).toContain("already holds a run");
  });
});

import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ABLATION, type Method } from "./methods.ts";
import type { RunEvent } from "../runs/events.ts";
import { startRun } from "../runs/config.ts";
import { checkpointPath } from "../runs/folder.ts";
import { TRAIN_DEFAULTS } from "../settings/train-settings.ts";
import type { TaskName, Tasks } from "../engine/tasks.ts";
import { createLocalQueue } from "../queue/local.ts";
import { Interrupted } from "../queue/queue.ts";
import { benchPerformer } from "./tasks/perform.ts";
import type { BenchPlan } from "./plan.ts";
import { runBenchmark } from "./run.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-bench-"));
  for (const name of ["dog", "vase"]) {
    await mkdir(join(root, "photos", name), { recursive: true });
    await writeFile(join(root, "photos", name, "1.png"), `photo of ${name}`);
  }
  for (const model of ["model", "reward", "dino"]) {
    await mkdir(join(root, model));
    await writeFile(join(root, model, "config.json"), model);
  }
});
afterEach(() => rm(root, { recursive: true }));

function planOf(methods: readonly Method[], names = ["dog", "vase"], seeds = [0]): BenchPlan {
  return {
    output: join(root, "out"),
    name: "test",
    methods,
    seeds,
    drawing: { pictures: 2, steps: 3, guidance: 7 },
    judges: { dino: join(root, "dino") },
    subjects: names.map((name) => {
      const folder = join(root, "photos", name);
      const models = { model: join(root, "model"), reward: join(root, "reward") };
      return {
        ...{ name, class: name, folder, prompts: ["a {token} {class}"] },
        training: { ...TRAIN_DEFAULTS, ...models, images: folder, class: name, steps: 80 },
      };
    }),
  };
}

/** An engine that remembers what it was asked, and whose runs are best at step 40, whatever the lambda. */
function fakeEngine({ failOn = () => false }: { failOn?: (name: TaskName, settings: unknown) => boolean } = {}) {
  const asked: string[] = [];
  const run = async (name: TaskName, settings: Tasks[TaskName]["settings"]): Promise<Tasks[TaskName]["result"]> => {
    if (failOn(name, settings)) throw new Error("no luck");
    if (name === "train") {
      const { request } = settings as Tasks["train"]["settings"];
      asked.push(`train ${request.class} ${request.preference} ${request.seed}`);
      const validation = (at: number, align: number): RunEvent => {
        const images = [{ prompt: "", promptIndex: 0, index: 0, seed: 0, alignI: align, alignT: align, image: "" }];
        return { type: "validation", step: at, lambda: 0.5, reward: align, standardError: 0, images };
      };
      const step = { type: "step", step: 1, curves: { loss: 2 }, gradNorm: 1, seconds: 4 } as const;
      const events: RunEvent[] = [validation(0, 0.5), step, validation(40, 0.6), validation(80, 0.4)];
      await writeFile(
        join(request.output, "events.jsonl"),
        events.map((event) => `${JSON.stringify(event)}\n`).join(""),
      );
      const versions = { rpo: "0", node: "v0", onnxruntime: "0", platform: "none" };
      const started = { ...request, learningRate: 1e-4, resolution: 64, threads: 1 };
      await startRun(started, { versions, hashes: {} });
      for (const step of [40, 80]) await mkdir(join(request.output, checkpointPath(step)), { recursive: true });
      return { reason: "steps", step: 80, best: undefined };
    }
    if (name === "generate") {
      const { adapter, prompts, output } = settings as Tasks["generate"]["settings"];
      asked.push(`draw ${prompts.join()} ${adapter?.slice(-6) ?? "start"}`);
      await writeFile(join(output, "picture"), adapter ?? "start");
      return { pictures: prompts.map((prompt) => ({ file: "picture", prompt, seed: 0 })), interrupted: false };
    }
    asked.push(name);
    if (name === "photos") return { photos: 1, scores: { dino: 0.9 } };
    return { means: { dino: 0.5, alignI: 0.6 }, copyRate: 0.25 } as Tasks["evaluate"]["result"];
  };
  return { asked, run: run as unknown as typeof import("../engine/host.ts").runTask };
}

const bench = (plan: BenchPlan, engine: ReturnType<typeof fakeEngine>, signal = new AbortController().signal) =>
  runBenchmark({
    plan,
    signal,
    openQueue: () => createLocalQueue({ perform: benchPerformer({ threads: 1, run: engine.run }), backoffMs: 1 }),
    onStatus: () => undefined,
    onRow: () => undefined,
    warn: () => undefined,
  });
const lines = async () => (await readFile(join(root, "out/results.jsonl"), "utf8")).trim().split("\n");

test("equal work is done once: two runs a subject, one drawing for each checkpoint", async () => {
  const engine = fakeEngine();
  expect(await bench(planOf(ABLATION, ["dog"]), engine)).toEqual([]);
  expect(await lines()).toHaveLength(8);
  const count = (pattern: RegExp) => engine.asked.filter((line) => pattern.test(line)).length;
  expect(count(/^train/)).toBe(2);
  // the start; steps 40 and 80 of both runs
  expect(count(/^draw/)).toBe(5);
  expect(count(/^evaluate/)).toBe(5);
  expect(count(/^photos/)).toBe(1);
});

test("a row says what its method's training takes, and which pictures were judged", async () => {
  await bench(planOf(["rpo", "references"], ["dog"]), fakeEngine());
  const rows = (await lines()).map((line) => JSON.parse(line) as Record<string, unknown>);
  const common = { clipI: null, clipT: null, alignT: null, diversity: null, memory: null };
  expect(rows).toContainEqual({
    ...{ subject: "dog", method: "rpo", lambda: 0.3, seed: 0, steps: 80, seconds: 4, pictures: 1 },
    ...{ dino: 0.5, alignI: 0.6, copyRate: 0.25, ...common },
  });
  expect(rows).toContainEqual({
    ...{ subject: "dog", method: "references", lambda: null, seed: null, steps: 0, seconds: 0, pictures: 1 },
    ...{ dino: 0.9, alignI: null, copyRate: null, ...common },
  });
});

test("another method is trained by its own settings, once for both of its rows, and its word stands without the class", async () => {
  const plan = planOf(["dreambooth", "dreambooth+selection", "inversion"], ["dog"]);
  const [subject] = plan.subjects;
  const { training } = subject;
  const others = {
    dreambooth: { ...training, method: "dreambooth", priorWeight: 0.5 },
    inversion: { ...training, method: "inversion", vectors: 3 },
  } as const;
  const engine = fakeEngine();
  expect(await bench({ ...plan, subjects: [{ ...subject, others }] }, engine)).toEqual([]);
  expect(engine.asked.filter((line) => line.startsWith("train"))).toHaveLength(2);
  const drawn = engine.asked.filter((line) => line.startsWith("draw"));
  // dreambooth's last step, and its best; the word's last
  expect(drawn.sort()).toEqual(["draw a [V] 000080", "draw a [V] dog 000040", "draw a [V] dog 000080"]);
  const methods = (await lines()).map((line) => (JSON.parse(line) as { method: string }).method);
  expect(methods.sort()).toEqual(["dreambooth", "dreambooth+selection", "inversion"]);
});

test("a method's settings may not change once it has rows", async () => {
  const plan = planOf(["dreambooth"], ["dog"]);
  const by = (priorWeight: number): BenchPlan => ({
    ...plan,
    subjects: plan.subjects.map((subject) => ({
      ...subject,
      others: { dreambooth: { ...subject.training, method: "dreambooth", priorWeight } },
    })),
  });
  await bench(by(1), fakeEngine());
  await expect(bench(by(2), fakeEngine())).rejects.toThrow(
    "dog: by dreambooth, the setting priorWeight changed from 1 to 2",
  );
});

test("rows at equal seconds are added to a benchmark that is done, are other rows, and share equal work", async () => {
  await bench(planOf(["l-sim", "rpo"], ["dog"]), fakeEngine());
  const before = await lines();
  const more = fakeEngine();
  // every step of every run was within the first 4 seconds, which are RPO's
  expect(await bench({ ...planOf(["l-sim", "rpo"], ["dog"]), budget: "rpo" }, more)).toEqual([]);
  expect(more.asked).toEqual([]);
  const after = await lines();
  expect(after.slice(0, before.length)).toEqual(before);
  const rows = after.slice(before.length).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.map(({ method, lambda, budget }) => [method, lambda, budget]).sort()).toEqual([
    ["l-sim", null, "rpo"],
    ["rpo", 0.3, "rpo"],
    ["rpo", 0.5, "rpo"],
    ["rpo", 0.7, "rpo"],
  ]);
  await bench({ ...planOf(["l-sim", "rpo"], ["dog"]), budget: "rpo" }, more);
  expect(await lines()).toEqual(after);
});

test("a finished benchmark that is run again does nothing; with another subject only what is new", async () => {
  await bench(planOf(["l-sim"], ["dog"]), fakeEngine());
  const before = await lines();
  const again = fakeEngine();
  await bench(planOf(["l-sim"], ["dog"]), again);
  expect(again.asked).toEqual([]);
  const more = fakeEngine();
  await bench(planOf(["l-sim"]), more);
  expect(more.asked.filter((line) => line.startsWith("train"))).toEqual(["train vase false 0"]);
  expect((await lines()).slice(0, 1)).toEqual(before);
});

test("a results file cut in the middle of a line gets that line again, without training again", async () => {
  await bench(planOf(["base", "l-sim"]), fakeEngine());
  const before = await lines();
  const path = join(root, "out/results.jsonl");
  await truncate(path, (await readFile(path)).length - 30);
  const again = fakeEngine();
  await bench(planOf(["base", "l-sim"]), again);
  expect(again.asked).toEqual([]);
  expect(await lines()).toEqual(before);
});

test("a job that fails three times costs its own rows alone, and is tried again the next time", async () => {
  const failing = fakeEngine({ failOn: (name, s) => name === "train" && JSON.stringify(s).includes("vase") });
  const failures = await bench(planOf(["base", "l-sim"]), failing);
  expect(failures).toMatchObject([{ subject: "vase", method: "l-sim", reason: "train vase seed 0 L_sim: no luck" }]);
  expect(await lines()).toHaveLength(3);
  expect(await bench(planOf(["base", "l-sim"]), fakeEngine())).toEqual([]);
  expect(await lines()).toHaveLength(4);
});

test("stopping ends with an interruption, and the next run goes on", async () => {
  const stop = new AbortController();
  const engine = fakeEngine({ failOn: (name) => (name === "evaluate" && stop.abort(), false) });
  await expect(bench(planOf(ABLATION), engine, stop.signal)).rejects.toThrow(Interrupted);
  const rest = fakeEngine();
  expect(await bench(planOf(ABLATION), rest)).toEqual([]);
  expect(await lines()).toHaveLength(16);
  const all = [...engine.asked, ...rest.asked].filter((line) => line.startsWith("train"));
  expect(new Set(all).size).toBe(all.length);
});

test("a row whose origin was lost gets it again, without any work", async () => {
  const plan = planOf(["base", "l-sim"], ["dog"]);
  await bench(plan, fakeEngine());
  const path = join(root, "out/origins.jsonl");
  const before = await readFile(path, "utf8");
  const [first] = before.split("\n");
  await writeFile(path, `${first}\n{"subject": "do`);
  const again = fakeEngine();
  await bench(plan, again);
  expect(again.asked).toEqual([]);
  expect(await readFile(path, "utf8")).toBe(before);
  expect(await lines()).toHaveLength(2);
});

test("a subject that has no row yet may change: a damaged photo can be put right", async () => {
  const plan = planOf(["base"], ["dog"]);
  const failing = fakeEngine({ failOn: () => true });
  expect(await bench(plan, failing)).toHaveLength(1);
  await appendFile(join(root, "photos/dog/1.png"), "mended");
  expect(await bench(plan, fakeEngine())).toEqual([]);
  expect(await lines()).toHaveLength(1);
});

test("a benchmark with results and no bench.json is not continued", async () => {
  await bench(planOf(["base"], ["dog"]), fakeEngine());
  await rm(join(root, "out/bench.json"));
  await expect(bench(planOf(["base"], ["dog"]), fakeEngine())).rejects.toThrow("there are results but no bench.json");
});

describe("what changed since the results were begun is refused", () => {
  beforeEach(() => bench(planOf(["base"], ["dog"]), fakeEngine()));
  test("a photo", async () => {
    await appendFile(join(root, "photos/dog/1.png"), "!");
    await expect(bench(planOf(["base"], ["dog"]), fakeEngine())).rejects.toThrow(
      "photos/dog/1.png: changed since the results",
    );
  });
  test("another photo", async () => {
    await writeFile(join(root, "photos/dog/2.png"), "new");
    await expect(bench(planOf(["base"], ["dog"]), fakeEngine())).rejects.toThrow("photos/dog/2.png: was added since");
  });
  test("the model", async () => {
    await writeFile(join(root, "model/config.json"), "another");
    await expect(bench(planOf(["base"], ["dog"]), fakeEngine())).rejects.toThrow("the model's files changed since");
  });
  test("a setting of training", async () => {
    const plan = planOf(["base"], ["dog"]);
    const [subject] = plan.subjects;
    const subjects = [{ ...subject, training: { ...subject.training, steps: 81 } }];
    await expect(bench({ ...plan, subjects }, fakeEngine())).rejects.toThrow("dog: steps changed from 80 to 81");
  });
  test("but another subject's photos are nobody's business", async () => {
    await appendFile(join(root, "photos/vase/1.png"), "!");
    expect(await bench(planOf(["base"], ["dog", "vase"]), fakeEngine())).toEqual([]);
  });
});

test("two at a time in one folder are refused", async () => {
  const engine = fakeEngine();
  let [open, begin] = [() => undefined as unknown, () => undefined as unknown];
  const opened = new Promise((resolve) => (open = () => resolve(undefined)));
  const begun = new Promise((resolve) => (begin = () => resolve(undefined)));
  const slow = {
    ...engine,
    run: (async () => {
      begin();
      return opened;
    }) as unknown as typeof engine.run,
  };
  const first = bench(planOf(["references"], ["dog"]), slow).catch((error: unknown) => error);
  await begun;
  await expect(bench(planOf(["references"], ["dog"]), engine)).rejects.toThrow("another rpo bench works here");
  open();
  await first;
});

test("figures come from the disk: work that a queue only says is done fails its row, and is asked for again", async () => {
  const plan = planOf(["base"], ["dog"]);
  const lying = { run: () => Promise.resolve(null), list: () => Promise.resolve([]), close: () => Promise.resolve() };
  const failures = await runBenchmark({
    plan,
    signal: new AbortController().signal,
    openQueue: () => lying,
    onStatus: () => undefined,
    onRow: () => undefined,
    warn: () => undefined,
    diskLagMs: 10,
  });
  expect(failures).toMatchObject([{ reason: expect.stringMatching(/is said to be done, but is not there/) as string }]);
  expect(await bench(plan, fakeEngine())).toEqual([]);
  expect(await lines()).toHaveLength(1);
});

import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blankImage } from "../../images/image.ts";
import { writePng } from "../../images/write.ts";
import { meanCurve } from "./charts.ts";
import { learningPaths, pathsOf } from "./paths.ts";
import { renderBench } from "./page.ts";
import type { Row } from "./results.ts";
import { readBenchName, readBenchView } from "./view.ts";

const scores = { dino: 0.5, clipI: 0.6, clipT: 0.3, alignI: 0.7, alignT: 0.8, copyRate: 0, diversity: 0.1 };
const EVIL = `<img src=x onerror="alert(1)">`;
const rows: Row[] = [
  { subject: "dog", method: "rpo", lambda: 0.5, seed: 0, steps: 8, seconds: 2, memory: 2, pictures: 2, ...scores },
  { subject: "dog", method: "base", lambda: null, seed: 0, steps: 0, seconds: 0, memory: 2, pictures: 2, ...scores },
];

let output: string;
beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), "rpo-page-"));
  const validation = (step: number, alignI: number) => ({ step, seconds: step, scores: [{ alignI, alignT: 0.5 }] });
  for (const folder of ["draw/a", "draw/b", "train/r/images"]) await mkdir(join(output, folder), { recursive: true });
  await writeFile(
    join(output, "train/r/result.json"),
    JSON.stringify({ validations: [validation(0, 0.5), validation(8, 0.6)] }),
  );
  await writePng(join(output, "train/r/images/photo-00.png"), blankImage({ width: 8, height: 8 }));
  for (const folder of ["draw/a", "draw/b"]) {
    await writePng(join(output, folder, "0.png"), blankImage({ width: 8, height: 8 }));
    await writeFile(join(output, folder, "prompts.json"), JSON.stringify({ "0.png": { prompt: EVIL, seed: 0 } }));
  }
  const origins = [
    { ...rows[0], pictures: "draw/a", run: "train/r", checkpoint: 8 },
    { ...rows[1], pictures: "draw/b", run: null, checkpoint: 0 },
  ];
  await writeFile(join(output, "origins.jsonl"), `${origins.map((each) => JSON.stringify(each)).join("\n")}\n{"cut`);
});
afterAll(() => rm(output, { recursive: true }));

const view = () => readBenchView(output, rows, { now: new Date("2026-01-02T03:04:05Z") });

test("the view finds each row's run and pictures, in the table's order", async () => {
  const { curves, grids } = await view();
  expect(curves).toMatchObject([{ subject: "dog", seed: 0, preference: true }]);
  expect(grids).toHaveLength(1);
  expect(grids[0].columns).toEqual(["base", "rpo λ 0.5"]);
  expect(grids[0].photos).toHaveLength(1);
  expect(grids[0].rows).toMatchObject([{ prompt: EVIL, pictures: [{ width: 8 }, { width: 8 }] }]);
});

test("its settings name the rate of every method that has one of its own", async () => {
  const training = { adapter: "full", steps: 240, learningRate: 6e-4 };
  const others = {
    custom: { ...training, adapter: "lora", learningRate: 2e-4 },
    disenbooth: training,
    inversion: { ...training, learningRate: 0.02 },
  };
  const plan = {
    name: "tinybench",
    drawing: { pictures: 2, steps: 12, guidance: 4 },
    subjects: { dog: { training, others } },
  };
  const folder = await mkdtemp(join(tmpdir(), "rpo-page-"));
  await writeFile(join(folder, "bench.json"), JSON.stringify(plan));
  const { settings } = await readBenchName(folder);
  expect(settings).toBe(
    "Training: full, rate 0.0006 (custom 0.0002, inversion 0.02), up to 240 steps. Pictures: 2 of each prompt in 12 sampler steps, guidance 4.",
  );
  await rm(folder, { recursive: true });
});

test("a curve is the mean over runs of the harmonic reward at each step", async () => {
  const { curves } = await view();
  const [curve] = curves;
  const other = { ...curve, validations: [{ ...curve.validations[0], images: [{ alignI: 1, alignT: 0.5 }] }] };
  // harmonic means: .5 and 2 / (1 / 1 + 1 / .5) = 2/3; step 8 is in one run alone
  const points = meanCurve([curve, other], ({ reward }) => reward.mean);
  expect(points).toHaveLength(1);
  expect(points[0].mean).toBeCloseTo((0.5 + 2 / 3) / 2, 12);
});

test("every method has its path of ALIGN-T and ALIGN-I over training, that of L_sim alone is one of them", async () => {
  const { curves } = await view();
  const [rpo] = curves;
  const others = [
    { ...rpo, preference: false },
    { ...rpo, trainedBy: "custom" as const, validations: rpo.validations.slice(0, 1) },
  ];
  expect(pathsOf([rpo, ...others]).map(({ name, points }) => [name, points])).toEqual([
    [
      "rpo",
      [
        { step: 0, alignI: 0.5, alignT: 0.5 },
        { step: 8, alignI: 0.6, alignT: 0.5 },
      ],
    ],
    [
      "l-sim",
      [
        { step: 0, alignI: 0.5, alignT: 0.5 },
        { step: 8, alignI: 0.6, alignT: 0.5 },
      ],
    ],
    ["custom", [{ step: 0, alignI: 0.5, alignT: 0.5 }]],
  ]);
  const chart = learningPaths([rpo, ...others]).text;
  expect(chart).toContain("rpo, step 8: ALIGN-T 0.500, ALIGN-I 0.600");
  expect(chart).not.toContain("NaN");
  expect(renderBench(await view(), "")).toContain("Likeness against obedience, over training");
});

test("the page needs nothing else, allows its own style alone, and takes texts as texts", async () => {
  const page = renderBench(await view(), "p{color:red}");
  const [, style] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
  const hash = createHash("sha256").update(style).digest("base64");
  expect(page.replaceAll("&#39;", "'")).toContain(`style-src 'sha256-${hash}'`);
  expect(page).not.toContain(EVIL);
  expect(page).not.toMatch(/(src|href)="(?!data:)/);
  expect(page.match(/<img /g)).toHaveLength(3);
  expect(page).not.toContain("(published"); // a folder that does not say what it is of
  expect(renderBench({ ...(await view()), name: "dreambench" }, "")).toContain("pure L_sim (published)");
});

describe("a benchmark's files that are damaged are named:", () => {
  test.each<[string, string, string, RegExp]>([
    [
      "a curve out of range",
      "train/r/result.json",
      '{"validations":[{"step":0,"seconds":0,"scores":[{"alignI":1e308,"alignT":0.5}]}]}',
      /train\/r\/result\.json: validations\.0\.scores\.0\.alignI: expected a number from 0 to 1, got 1e\+308/,
    ],
    [
      "a curve that goes back",
      "train/r/result.json",
      '{"validations":[{"step":8,"seconds":0,"scores":[{"alignI":1,"alignT":0.5}]},{"step":0,"seconds":0,"scores":[{"alignI":1,"alignT":0.5}]}]}',
      /expected rising steps, each with as many scores/,
    ],
    ["prompts that are none", "draw/b/prompts.json", "[]", /draw\/b\/prompts\.json: /],
    [
      "pictures elsewhere",
      "draw/b/prompts.json",
      '{"../../secret.png":{"prompt":"a dog"}}',
      /draw\/b\/prompts\.json: .*Invalid key/,
    ],
    [
      "an origin elsewhere",
      "origins.jsonl",
      `${JSON.stringify({ ...rows[0], pictures: "../secret", run: null, checkpoint: 8 })}\n`,
      /origins\.jsonl, line 1: pictures: expected a path in the benchmark's folder; remove the line/,
    ],
    ["an origin that is none", "origins.jsonl", "{}\n", /origins\.jsonl, line 1: subject: .*; remove the line/],
  ])("%s", async (_name, file, content, message) => {
    const path = join(output, file);
    const before = await readFile(path);
    await writeFile(path, content);
    await expect(view()).rejects.toThrow(message);
    await writeFile(path, before);
  });
});

test("a benchmark from elsewhere shows nothing from outside its folder", async () => {
  const copy = async (): Promise<string> => {
    const folder = join(await mkdtemp(join(tmpdir(), "rpo-page-")), "copy");
    await cp(output, folder, { recursive: true });
    return folder;
  };
  const now = new Date(0);
  const named = await copy();
  const plan = { subjects: { dog: { folder: join(output, "train/r/images") } } };
  await writeFile(join(named, "bench.json"), JSON.stringify(plan));
  await rm(join(named, "train/r/images"), { recursive: true });
  const origin = { ...rows[0], pictures: `../${output.split("/").at(-1) ?? ""}/draw/a`, run: "train/r", checkpoint: 8 };
  await writeFile(join(named, "origins.jsonl"), `${JSON.stringify(origin)}\n`);
  await expect(readBenchView(named, rows, { now })).rejects.toThrow("origins.jsonl, line 1: pictures: expected a path");

  for (const path of ["train/r/images", "draw/a", "draw/b/0.png", "origins.jsonl"]) {
    const linked = await copy();
    await rm(join(linked, path), { recursive: true });
    await symlink(join(output, path), join(linked, path));
    await expect(readBenchView(linked, rows, { now }), path).rejects.toThrow("leads out of");
  }
});

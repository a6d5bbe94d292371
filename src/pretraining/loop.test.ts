import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Graph } from "../graph/graph.ts";
import { matmul, mean, mul, sub } from "../graph/ops/index.ts";
import { Random } from "../tensor/random.ts";
import { float32, zeros } from "../tensor/tensor.ts";
import { readAverage, runCourse, type Course, type CourseOptions } from "./loop.ts";
import { learningRateAt } from "./rate.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-loop-"));
});
afterAll(() => rm(folder, { recursive: true }));

const TRUTH = [2, -1, 0.5];

/** Least squares: y = x · (2, -1, 0.5), from x alone. */
function leastSquares(steps: number): Course {
  const graph = new Graph();
  const x = graph.input("x", [8, 3]);
  const y = graph.input("y", [8, 1]);
  const difference = sub(matmul(x, graph.parameter("w", [3, 1])), y);
  return {
    name: "line",
    initial: new Map([["w", zeros([3, 1])]]),
    results: { loss: mean(mul(difference, difference)) },
    steps,
    rate: { peak: 0.05, warmup: 5, decay: 0.2 },
    weightDecay: 0,
    emaDecay: 0.9,
    feeds(step) {
      const points = new Random(step).normal([8, 3]);
      const answers = Array.from({ length: 8 }, (_, row) =>
        TRUTH.reduce((sum, w, i) => sum + w * points.data[row * 3 + i], 0),
      );
      return { x: points, y: float32(answers, [8, 1]) };
    },
  };
}

function options(name: string, stopAfter = Infinity): CourseOptions {
  let asked = 0;
  return {
    folder: join(folder, name),
    session: { threads: 1 },
    onLog: () => undefined,
    shouldStop: () => asked++ >= stopAfter,
  };
}

test("a course solves least squares, and its average ends where the weights do", async () => {
  const { average, done } = await runCourse(leastSquares(300), options("whole"));
  expect(done).toBe(true);
  average.get("w")?.data.forEach((w, i) => expect(w).toBeCloseTo(TRUTH[i], 2));
});

test("a course that was stopped twice goes on to the very same weights and log", async () => {
  const whole = await runCourse(leastSquares(120), options("once"));
  await runCourse(leastSquares(120), options("parts", 31));
  await runCourse(leastSquares(120), options("parts", 44));
  const parts = await runCourse(leastSquares(120), options("parts"));
  expect(parts.average).toEqual(whole.average);
  expect((await readAverage(join(folder, "parts"), "line"))?.weights).toEqual(whole.average);
  const steps = async (name: string) =>
    (await readFile(join(folder, name, "line.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { step: number }).step);
  expect(await steps("parts")).toEqual([50, 100, 120]);
  expect(await steps("once")).toEqual([50, 100, 120]);
});

test("inputs that cannot be made fail the course, and nothing is left unhandled", async () => {
  const course = leastSquares(10);
  const failing: Course = {
    ...course,
    feeds: (step) => (step < 4 ? course.feeds(step) : Promise.reject(new Error("no pictures"))),
  };
  await expect(runCourse(failing, options("failing"))).rejects.toThrow("no pictures");
  // the failing inputs are asked for, and then the course is stopped before it takes them
  expect((await runCourse(failing, options("stopped", 3))).done).toBe(false);
});

test("the rate rises, stays and falls to nothing", () => {
  const rate = { peak: 1, warmup: 10, decay: 0.5 };
  expect([1, 10, 50, 76, 100].map((step) => learningRateAt(step, 100, rate))).toEqual([0.1, 1, 1, 0.5, 0.02]);
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../../tensor/random.ts";
import { initialWeights } from "../initial.ts";
import { Graph } from "../../graph/graph.ts";
import { parseDinoConfig } from "../../models/dino/config.ts";
import { dino } from "../../models/dino/dino.ts";
import { rootScope } from "../../nn/scope.ts";
import { writeDinoFolder } from "../judges/folders.ts";
import { DINO_CONFIG } from "../judges/recipes.ts";
import { check } from "./check.ts";

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "rpo-check-"));
});
afterAll(() => rm(models, { recursive: true }));

async function printed(): Promise<{ good: boolean; lines: readonly string[] }> {
  const lines: string[] = [];
  const good = await check({
    models,
    work: models,
    session: { threads: 1 },
    steps: undefined,
    shouldStop: () => false,
    log: () => undefined,
    print: (line) => lines.push(line),
  });
  return { good, lines };
}

test("models that do not exist fail the check, by name", async () => {
  const { good, lines } = await printed();
  expect(good).toBe(false);
  for (const name of ["sd", "align", "dino", "clip"])
    expect(lines).toContain(`  FAIL: ${join(models, name)} does not exist`);
});

test("a judge that has learnt nothing misses its bar, and the check fails", async () => {
  const graph = new Graph();
  dino(rootScope(graph), parseDinoConfig(DINO_CONFIG, "dino"), graph.input("pixels", [1, 3, 64, 64]));
  await writeDinoFolder(join(models, "dino"), initialWeights(graph, new Random(0)));
  const { good, lines } = await printed();
  expect(good).toBe(false);
  expect(lines.filter((line) => line.endsWith("FAIL"))).toHaveLength(1);
  expect(lines.find((line) => line.includes("among 50"))).toMatch(/ 0\.[01]\d\d {2}>= 0\.800 {2}FAIL$/);
});

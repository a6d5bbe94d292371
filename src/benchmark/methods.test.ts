import { describe, expect, test } from "vitest";
import { HARMONIC } from "../reward/scale.ts";
import { choose, METHODS, variantsOf } from "./methods.ts";

/** A run whose pictures all have the same alignments at a validation, every 10 steps of 2 seconds. */
const run = (...alignments: readonly (readonly [alignI: number, alignT: number])[]) =>
  alignments.map(([alignI, alignT], i) => ({ step: 10 * i, seconds: 20 * i, images: [{ alignI, alignT }] }));

describe("the checkpoint of a row", () => {
  // at lambda 0.5 the harmonic means are .545, .581, .6, .56, .5, .667
  const validations = run([0.6, 0.5], [0.69, 0.5017], [0.75, 0.5], [0.8, 0.43], [0.9, 0.346], [0.5, 1]);
  test("without a lambda is the last", () =>
    expect(choose(validations, null, { patience: 2, scale: HARMONIC })).toEqual({
      checkpoint: 50,
      steps: 50,
      seconds: 100,
    }));
  test("with one is the best before patience ran out, and costs the steps until then", () =>
    expect(choose(validations, 0.5, { patience: 2, scale: HARMONIC })).toEqual({
      checkpoint: 20,
      steps: 40,
      seconds: 80,
    }));
  test("with more patience is a later one", () =>
    expect(choose(validations, 0.5, { patience: 3, scale: HARMONIC })).toEqual({
      checkpoint: 50,
      steps: 50,
      seconds: 100,
    }));
  test("a larger lambda counts likeness more", () =>
    expect(choose(validations, 1, { patience: 2, scale: HARMONIC })).toEqual({
      checkpoint: 40,
      steps: 50,
      seconds: 100,
    }));
  test("is the starting model where training helps nothing", () =>
    expect(choose(run([0.9, 0.9], [0.8, 0.8], [0.7, 0.7]), 0.5, { patience: 1, scale: HARMONIC })).toEqual({
      checkpoint: 0,
      steps: 10,
      seconds: 20,
    }));
  test("of equal ones is the first", () =>
    expect(choose(run([0.5, 0.5], [0.5, 0.5]), 0.5, { patience: 3, scale: HARMONIC }).checkpoint).toBe(0));
});

test("the ablation's rows, in the tables' order whatever the order of asking", () => {
  expect(variantsOf(METHODS)).toEqual(variantsOf([...METHODS].reverse()));
  expect(variantsOf(["rpo", "base"]).map(({ method, lambda }) => [method, lambda])).toEqual([
    ["base", null],
    ["rpo", 0.3],
    ["rpo", 0.5],
    ["rpo", 0.7],
  ]);
});

test("all trained rows come from two kinds of runs", () => {
  const runs = variantsOf(METHODS).flatMap(({ source }) => (source.from === "run" ? [source.preference] : []));
  expect(new Set(runs).size).toBe(2);
});

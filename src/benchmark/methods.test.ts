import { describe, expect, test } from "vitest";
import { HARMONIC } from "../reward/scale.ts";
import * as TRAINED_BY from "../methods/index.ts";
import { ABLATION, choose, METHODS, variantsOf, type Method } from "./methods.ts";

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
  test("in 50 seconds is the last, or the best, that was validated until then", () => {
    const options = { patience: 3, scale: HARMONIC, within: 50 };
    expect(choose(validations, null, options)).toEqual({ checkpoint: 20, steps: 20, seconds: 40 });
    expect(choose(validations, 0.5, options)).toEqual({ checkpoint: 20, steps: 20, seconds: 40 });
    expect(choose(validations, null, { ...options, within: 19 })).toEqual({ checkpoint: 0, steps: 0, seconds: 0 });
  });
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

test("all trained rows of the ablation come from two kinds of runs, those of another method from one more", () => {
  const runsOf = (methods: readonly Method[]) =>
    new Set(
      variantsOf(methods).flatMap(({ source }) =>
        source.from === "run" ? [`${source.trainedBy} ${source.preference}`] : [],
      ),
    );
  expect(runsOf(ABLATION).size).toBe(2);
  expect([...runsOf(["dreambooth", "dreambooth+selection"])]).toEqual(["dreambooth true"]);
  expect(runsOf(METHODS).size).toBe(2 + Object.keys(TRAINED_BY).length - 1);
});

test("every method of rpo train has a row of its last step and one that the reward chose", () => {
  for (const name of Object.keys(TRAINED_BY)) {
    if (name === "rpo") continue;
    expect(METHODS).toContain(name);
    const [last, chosen] = variantsOf([name, `${name}+selection`] as Method[]);
    expect(last).toMatchObject({ lambda: null, source: { trainedBy: name, pick: "last" } });
    expect(chosen).toMatchObject({ lambda: 0.5, source: { trainedBy: name, pick: "best" } });
  }
});

test("at equal seconds there is a row more for each that a training is of, and none for photos and the start", () => {
  const rows = variantsOf(["references", "base", "l-sim", "rpo"], 60);
  expect(rows.filter(({ budget }) => budget === 60).map(({ method, lambda }) => [method, lambda])).toEqual([
    ["l-sim", null],
    ["rpo", 0.3],
    ["rpo", 0.5],
    ["rpo", 0.7],
  ]);
  expect(rows.filter(({ budget }) => budget === undefined)).toEqual(variantsOf(["references", "base", "l-sim", "rpo"]));
});

import { expect, test } from "vitest";
import type { StepEvent } from "../../runs/events.ts";
import { passedOver, statusText } from "./settings.ts";

const step = (number: number, more: Partial<StepEvent>): StepEvent => ({
  ...{ type: "step", step: number, curves: { loss: 1 }, seconds: 1 },
  ...more,
});

test("steps that a gradient's overflow had passed over are counted, in mixed precision alone", () => {
  const mixed = [
    step(1, { lossScale: 65536 }),
    step(2, { lossScale: 32768 }),
    step(3, { lossScale: 16384, gradNorm: 0.5 }),
  ];
  expect(passedOver(mixed)).toEqual([["steps passed over", "2 of 3, by an overflow"]]);
  expect(passedOver(mixed.slice(2))).toEqual([["steps passed over", "0 of 1, by an overflow"]]);
  expect(passedOver([step(1, { gradNorm: 0.5 })])).toEqual([]);
});

test("a run that took all of its steps is said to have, whatever its rule found at the last", () => {
  const text = (at: number) => statusText({ kind: "patience", step: at }, { run: "runs/dog", steps: 240 });
  expect(text(160)).toBe("stopped at step 160: the reward no longer rose");
  expect(text(240)).toBe("all 240 steps are done; the reward no longer rose");
});

import { expect, test } from "vitest";
import type { RunEvent } from "../runs/events.ts";
import { emptyState, takeEvent } from "./run-state.ts";

const step = (n: number, curves: Readonly<Record<string, number>>): RunEvent => ({
  ...{ type: "step", step: n, curves, gradNorm: n / 10, seconds: 0.5 },
});

function stateOf(...events: readonly RunEvent[]) {
  const state = emptyState();
  for (const event of events) takeEvent(state, event);
  return state;
}

test("a curve has a value for each step, and nothing where a step has none", () => {
  const { curves, seconds } = stateOf(step(1, { loss: 3 }), step(2, { loss: 2, late: 7 }), step(3, { late: 8 }));
  expect(seconds).toEqual([0.5, 0.5, 0.5]);
  expect(curves).toEqual({ loss: [3, 2, null], late: [null, 7, 8], gradNorm: [0.1, 0.2, 0.3] });
});

test("what the run did last is what its last line says", () => {
  expect(stateOf().last).toEqual({ type: "nothing", step: 0 });
  expect(stateOf(step(1, {})).last).toEqual({ type: "step", step: 1 });
  expect(stateOf(step(1, {}), { type: "stop", step: 1, reason: "interrupted" }).last).toEqual({
    ...{ type: "stop", step: 1, detail: "interrupted" },
  });
  expect(stateOf(step(1, {}), { type: "error", step: 1, message: "no space" }).last.detail).toBe("no space");
});

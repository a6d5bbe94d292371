import { expect, test } from "vitest";
import { statusText } from "./settings.ts";

test("a run that took all of its steps is said to have, whatever its rule found at the last", () => {
  const text = (at: number) => statusText({ kind: "patience", step: at }, { run: "runs/dog", steps: 240 });
  expect(text(160)).toBe("stopped at step 160: the reward no longer rose");
  expect(text(240)).toBe("all 240 steps are done; the reward no longer rose");
});

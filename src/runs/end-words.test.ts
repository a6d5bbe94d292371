import { expect, test } from "vitest";
import { endInWords } from "./end-words.ts";

test("a run that its rule ends at its very last step was not stopped: all steps are done", () => {
  expect(endInWords("patience", 160, 240)).toBe("stopped at step 160: the reward no longer rose");
  expect(endInWords("patience", 240, 240)).toBe("all 240 steps are done; the reward no longer rose");
  expect(endInWords("loss", 240, 240)).toBe("all 240 steps are done; the loss that was watched no longer fell");
  expect(endInWords("steps", 240, 240)).toBe("all 240 steps are done");
});

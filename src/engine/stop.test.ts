import { expect, test } from "vitest";
import { Interrupted } from "../system/failure.ts";
import { createStopFlag, raise, signalOf } from "./stop.ts";

test("a flag's signal is aborted as soon as the flag is raised, and throws its reason, Interrupted", () => {
  const flag = createStopFlag();
  const signal = signalOf(flag);
  signal.throwIfAborted();
  expect([signal.aborted, signal.reason]).toEqual([false, undefined]);
  raise(flag);
  expect(signal.aborted).toBe(true);
  expect(signal.reason).toBeInstanceOf(Interrupted);
  const thrown = ((): unknown => {
    try {
      signal.throwIfAborted();
    } catch (error) {
      return error;
    }
    return undefined;
  })();
  expect(thrown).toBe(signal.reason);
});

import { expect, test } from "vitest";
import { createClock, duration } from "./progress.ts";

/** A clock that stands where it is put, in seconds. */
function clockAt() {
  const time = { seconds: 0 };
  const clock = createClock(() => time.seconds * 1000);
  return (seconds: number, ...update: Parameters<typeof clock>) => {
    time.seconds = seconds;
    return clock(...update);
  };
}

test("rate and time left count from where the phase began, not from zero", () => {
  const at = clockAt();
  expect(at(100, "training", 40, 100)).toEqual({ rate: "", left: "" });
  expect(at(120, "training", 50, 100)).toEqual({ rate: "2.0 s each", left: "1 min 40 s left" });
});

test("what comes between a phase's parts counts in its time left", () => {
  const at = clockAt();
  at(0, "training", 0, 20);
  at(10, "training", 5, 20);
  at(10, "validation", 0, 4);
  expect(at(30, "validation", 2, 4)).toEqual({ rate: "10.0 s each", left: "20 s left" });
  expect(at(60, "training", 6, 20)).toEqual({ rate: "10.0 s each", left: "2 min 20 s left" });
});

test("a phase that begins again is timed anew", () => {
  const at = clockAt();
  at(0, "validation", 0, 10);
  at(100, "validation", 10, 10);
  at(500, "validation", 0, 10);
  expect(at(505, "validation", 10, 10).rate).toBe("2.0/s");
});

test("of what takes as long as it takes, no time left is told", () => {
  const at = clockAt();
  at(0, "rows", 0, 10, false);
  expect(at(100, "rows", 5, 10, false)).toEqual({ rate: "", left: "" });
});

test("durations read as people say them", () => {
  expect([8, 200, 7500].map(duration)).toEqual(["8 s", "3 min 20 s", "2 h 5 min"]);
});

import { expect, test } from "vitest";
import { createTurnsOfEach } from "./turns.ts";

test("work on one thing waits for what was asked for it before, failed or not, and not for that on others", async () => {
  const inTurn = createTurnsOfEach();
  const log: string[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const all = [
    inTurn("a", async () => {
      await gate;
      log.push("a1");
      throw new Error("a1 failed");
    }).catch(() => log.push("told")),
    inTurn("a", () => Promise.resolve(log.push("a2"))),
    inTurn("b", () => Promise.resolve(log.push("b1"))),
  ];
  await all[2];
  expect(log).toEqual(["b1"]);
  open();
  await Promise.all(all);
  expect(log.filter((each) => each !== "told")).toEqual(["b1", "a1", "a2"]);
  expect(log).toContain("told");
});

import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { JUDGING } from "../settings/judging.ts";
import { LEARNING } from "../settings/learning.ts";
import type { MethodEntry } from "../settings/method-entry.ts";
import * as METHODS from "./index.ts";
import { loadMethod } from "./load.ts";

const names = Object.keys(METHODS) as (keyof typeof METHODS)[];

test("every method has a folder of its name, and every folder is a method", async () => {
  const entries = await readdir(new URL(".", import.meta.url), { withFileTypes: true });
  expect(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)).toEqual([...names].sort());
});

test.each(names)("%s can be loaded", async (name) => {
  const { objective, feeds } = await loadMethod(name);
  expect([typeof objective, typeof feeds]).toEqual(["function", "function"]);
});

test("a setting that two methods have is one and the same, and no setting of all methods", () => {
  const known = new Map<string, unknown>(Object.entries({ ...LEARNING, ...JUDGING }));
  for (const { settings } of Object.values<MethodEntry>(METHODS))
    for (const [key, each] of Object.entries(settings)) {
      expect([key, known.get(key) ?? each]).toEqual([key, each]);
      known.set(key, each);
    }
});

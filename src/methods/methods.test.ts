import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
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

test("no two methods have a setting of the same name", () => {
  const settings = Object.values(METHODS).flatMap((method) => Object.keys(method.settings));
  expect(settings).toHaveLength(new Set(settings).size);
});

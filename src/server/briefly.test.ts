import { expect, test } from "vitest";
import { briefly } from "./briefly.ts";

test("what was found out is shared for a moment, of one place, and a failure is not kept", async () => {
  const asked: string[] = [];
  const find = briefly((place) => {
    asked.push(place);
    return place === "bad" ? Promise.reject(new Error("no")) : Promise.resolve(asked.length);
  }, 60);
  expect(await Promise.all([find("a"), find("a"), find("a")])).toEqual([1, 1, 1]);
  expect(await find("b")).toBe(2);
  await expect(find("bad")).rejects.toThrow("no");
  await expect(find("bad")).rejects.toThrow("no");
  expect(asked).toEqual(["a", "b", "bad", "bad"]);
  expect(await find("a")).toBe(5);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await find("a")).toBe(6);
});

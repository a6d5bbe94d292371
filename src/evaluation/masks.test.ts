import { expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { maskBackground } from "./masks.ts";

const image = (width: number, ...data: number[]) => ({ width, height: 1, data: Uint8Array.from(data) });

test("the subject stays, the background becomes grey, edges are mixed", () => {
  const picture = image(3, 10, 20, 30, 40, 50, 60, 200, 0, 100);
  const mask = image(3, 255, 255, 255, 0, 0, 0, 51, 51, 51);
  // 51 / 255 = 0.2 of the picture and 0.8 of 128
  expect([...maskBackground(picture, mask, "m.png").data]).toEqual([10, 20, 30, 128, 128, 128, 142, 102, 122]);
});

test("a mask of another size is refused by its name", () => {
  expect(() => maskBackground(image(1, 0, 0, 0), image(2, 0, 0, 0, 0, 0, 0), "m.png")).toThrow(UsageError);
  expect(() => maskBackground(image(1, 0, 0, 0), image(2, 0, 0, 0, 0, 0, 0), "m.png")).toThrow(/m\.png.*2 x 1.*1 x 1/);
});

import { expect, test } from "vitest";
import { splitPhotos } from "./hold-out.ts";

const photos = ["dog/00.jpg", "dog/01.jpg", "dog/02.jpg"];

test("one photo is kept from training, by its name or its path", () => {
  const kept = { trained: ["dog/00.jpg", "dog/02.jpg"], heldOut: "dog/01.jpg" };
  expect(splitPhotos(photos, "01.jpg")).toEqual(kept);
  expect(splitPhotos(photos, "elsewhere/01.jpg")).toEqual(kept);
});

test("without a name all are trained on", () => {
  expect(splitPhotos(photos, undefined)).toEqual({ trained: photos, heldOut: undefined });
});

test("a name that is none of them, and the only one, are refused", () => {
  expect(() => splitPhotos(photos, "3.jpg")).toThrow("holdOut 3.jpg: no such photo (there are 00.jpg, 01.jpg, 02.jpg)");
  expect(() => splitPhotos(["a.png"], "a.png")).toThrow("holdOut a.png: it is the only photo");
});

test("a name with an accent is found however it is composed", () => {
  const photos = ["a.jpg", "Ka\u0308se.jpg"];
  expect(splitPhotos(photos, "K\u00e4se.jpg").heldOut).toBe(photos[1]);
  expect(splitPhotos(["K\u00e4se.jpg", "a.jpg"], "Ka\u0308se.jpg").heldOut).toBe("K\u00e4se.jpg");
});

import { expect, test } from "vitest";
import { subjectsInTurn } from "./fixed-loss.ts";
import type { TrainedPhoto } from "./photos.ts";

test("of several subjects each is measured as often as the others, however many photos it has", () => {
  const photo = (path: string, subject: number): TrainedPhoto => ({ path, subject, text: "", views: [] });
  const namesOf = (photos: readonly TrainedPhoto[]) => photos.map(({ path }) => path);
  const dogs = ["a", "b", "c"].map((path) => photo(path, 0));
  expect(namesOf(subjectsInTurn([...dogs, photo("x", 1)]))).toEqual(["a", "x", "b", "x", "c", "x"]);
  expect(namesOf(subjectsInTurn(dogs))).toEqual(["a", "b", "c"]);
});

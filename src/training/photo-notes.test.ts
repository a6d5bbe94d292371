import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import type { Image } from "../images/image.ts";
import { thumbnailOf } from "../images/same.ts";
import { photoNotes } from "./photo-notes.ts";

/** Large squares of random levels up to `most`. */
function photo(seed: number, side = 64, most = 255): Image {
  const rng = new Random(seed);
  const levels = Array.from({ length: 4 * 4 }, () => Math.floor(most * rng.uniform()));
  const at = (i: number) =>
    levels[Math.floor((4 * Math.floor(i / side)) / side) * 4 + Math.floor((4 * (i % side)) / side)];
  return {
    width: side,
    height: side,
    data: Uint8Array.from({ length: side * side * 3 }, (_, i) => at(Math.floor(i / 3))),
  };
}

const notes = (images: Readonly<Record<string, Image>>, resolution = 64) =>
  photoNotes(
    Object.entries(images).map(([path, image]) => ({
      path: `photos/${path}`,
      width: image.width,
      height: image.height,
      thumbnail: thumbnailOf(image),
    })),
    { resolution },
  );

test("nothing is said of photos as they should be", () => {
  expect(notes({ "a.jpg": photo(1), "b.jpg": photo(2), "c.jpg": photo(3) })).toEqual([]);
  // all of them dark, as of a black cat at night
  expect(notes({ "a.jpg": photo(1, 64, 60), "b.jpg": photo(2, 64, 60) })).toEqual([]);
});

test("photos that are there twice, small, blank and dark ones are named, each kind once", () => {
  const black: Image = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(2) };
  const found = notes({
    "a.jpg": photo(1),
    "b.jpg": photo(2),
    "a (1).jpg": photo(1),
    "small.jpg": photo(4, 48),
    "black.jpg": black,
    "dark.jpg": photo(5, 64, 40),
    "c.jpg": photo(6),
  });
  expect(found).toEqual([
    "the same photo twice, trained on twice as often as the others: a (1).jpg is a.jpg again",
    "made larger to be trained on at 64 x 64 pixels, which blurs what is learnt: small.jpg (48 x 48)",
    "of one colour, with nothing on it to learn: black.jpg",
    "much darker than the other photos: dark.jpg",
  ]);
});

test("of many the first ones are named, each on one line", () => {
  const small = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`${i}\n.jpg`, photo(i, 32)]));
  const [line, ...more] = notes(small);
  expect(more).toEqual([]);
  expect(line).toContain("0 .jpg (32 x 32)");
  expect(line).toMatch(/, and 2 more$/);
  expect(line).not.toContain("\n");
});

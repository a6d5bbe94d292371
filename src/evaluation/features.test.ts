import { describe, expect, test } from "vitest";
import { copyRate, cosine, diversity, fidelity, nearest } from "./features.ts";

/** Unit vectors in the plane, by their angle in degrees: the cosine of two is that of the angle between. */
const at = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const cos = (degrees: number) => Math.cos((degrees * Math.PI) / 180);

test("fidelity is the mean cosine to all references", () => {
  expect(fidelity(at(10), [at(0), at(40)])).toBeCloseTo((cos(10) + cos(30)) / 2, 6);
});

test("rounding cannot push a cosine beyond 1", () => {
  expect(cosine(Float32Array.of(1.0000001), Float32Array.of(1.0000001))).toBe(1);
});

test("the nearest is the one with the smallest angle", () => {
  expect(nearest(at(10), [at(0), at(12), at(90)])).toBeCloseTo(cos(2), 6);
});

describe("copy rate", () => {
  const photos = [at(0), at(20), at(50)]; // the closest two are 20 degrees apart
  test("counts pictures nearer to a photo than any two photos are to each other", () => {
    expect(copyRate([at(2), at(35), at(71), at(-19)], photos)).toBe(3 / 4); // 2, 15, 21 and 19 degrees away
  });
  test("a photo itself is a copy", () => expect(copyRate(photos, photos)).toBe(1));
  test("cannot be told with one photo", () => expect(copyRate([at(0)], [at(0)])).toBeUndefined());
});

describe("diversity", () => {
  test("averages within prompts first", () => {
    const apart = (degrees: number) => 1 - cos(degrees);
    const spread = (apart(10) + apart(30) + apart(20)) / 3;
    expect(
      diversity([
        [at(0), at(10), at(30)],
        [at(0), at(90)],
      ]),
    ).toBeCloseTo((spread + 1) / 2, 6);
  });
  test("leaves out prompts of one picture, and is unknown with nothing else", () => {
    expect(diversity([[at(0)], [at(0), at(60)]])).toBeCloseTo(0.5, 6);
    expect(diversity([[at(0)]])).toBeUndefined();
  });
});

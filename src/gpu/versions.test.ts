import { expect, test } from "vitest";
import { compareVersions, isIn, parseVersion } from "./versions.ts";

const version = (text: string) => parseVersion(text) ?? [];

test("versions are ordered by their numbers, not by their letters", () => {
  const texts = ["13.10.0.20", "13.8.2.12", "13.10", "9.28.1.4", "13.10.0"];
  expect(texts.sort((a, b) => compareVersions(version(a), version(b)))).toEqual([
    "9.28.1.4",
    "13.8.2.12",
    "13.10",
    "13.10.0",
    "13.10.0.20",
  ]);
});

test("what is no release is no version", () => {
  for (const text of ["13.7.0.10rc1", "9.28.0.42.dev76646929", "1.0+cu13", "1!2.0", "", "x"])
    expect(parseVersion(text)).toBeUndefined();
});

// PEP 440: ~= 2.2 is >= 2.2, == 2.*
test.each([
  ["~=13.0", "13.10.0.20", true],
  ["~=13.0", "14.0", false],
  ["~=13.0", "12.9", false],
  ["~=9.1.2", "9.1.9", true],
  ["~=9.1.2", "9.2", false],
  ["==1.30.0", "1.30", true],
  ["==13.*", "13.5.37", true],
  ["!=13.*", "13.5.37", false],
  [">=9.1,<10", "9.28.1.4", true],
  [">=9.1,<10", "10.0", false],
  ["", "1.0", true],
] as const)("%s holds %s: %s", (range, text, expected) => {
  expect(isIn(range, version(text))).toBe(expected);
});

test("a range of another kind is not guessed at", () => {
  expect(isIn("===1.0", version("1.0"))).toBeUndefined();
  expect(isIn(">=1.0rc1", version("1.0"))).toBeUndefined();
});

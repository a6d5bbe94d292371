import { expect, test } from "vitest";
import { checkSources } from "./picture-sources.ts";

test.each<[string, object, RegExp]>([
  ["too few bytes", { width: 2, height: 2, data: new Uint8Array(11) }, /pictures\[0\]: expected a path, or/],
  ["half a pixel", { width: 0.5, height: 2, data: new Uint8Array(3) }, /pictures\[0\]: expected a path, or/],
  ["sides below 0", { width: -1, height: -1, data: new Uint8Array(3) }, /pictures\[0\]: expected a path, or/],
  ["a line", { width: 201, height: 1, data: new Uint8Array(603) }, /pictures\[0\]: 201 x 1 pixels are too narrow/],
])("a picture in memory is checked as files are: %s", (_name, picture, message) =>
  expect(() => checkSources("pictures", [picture as never])).toThrow(message),
);

import { expect, test } from "vitest";
import { parseJson } from "./json.ts";

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

test("a text that nests deeper than any file of ours is refused before anything recurses over it", () => {
  expect(parseJson(nested(100))).toHaveLength(1);
  expect(() => parseJson(nested(101))).toThrow(new SyntaxError("it nests deeper than 100 levels"));
  expect(() => parseJson('{"a":'.repeat(1e5))).toThrow("it nests deeper than 100 levels");
});

test("brackets in strings are letters, and what is no JSON is JSON.parse's to say", () => {
  const text = JSON.stringify(["[".repeat(1000), '\\"[', { '"{[': 1 }]);
  expect(parseJson(text)).toEqual(JSON.parse(text));
  for (const broken of ["", '"', '"\\', "]]", "[1", "nope"]) expect(() => parseJson(broken)).toThrow(SyntaxError);
});

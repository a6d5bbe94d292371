import { expect, test } from "vitest";
import { parseJson, parseOwnJson } from "./json.ts";

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

test("what is no JSON is said with its line, or with what stands around it", () => {
  expect(() => parseJson('{\n  "steps": 1,\n}')).toThrow(/^line 3: Expected double-quoted property name$/);
  expect(() => parseOwnJson('["a"\n "b"]')).toThrow(/^line 2: Expected ',' or ']'/);
  expect(() => parseJson("{}\n\nx")).toThrow(/^line 3: Unexpected non-whitespace character$/);
  expect(() => parseJson('{"a": True}')).toThrow(/Unexpected token 'T', "\{"a": True\}"/);
  expect(() => parseJson("[1,")).toThrow(/^Unexpected end of JSON input$/);
});

test("a name that an object has twice is refused where a person wrote it, in its line", () => {
  const twice = '{\n"steps": 1,\n"lr": {"full": 1, "lora": 2},\n"st\\u0065ps" : 2}';
  expect(() => parseOwnJson(twice)).toThrow(new SyntaxError('line 4: "steps" for the second time'));
  expect(() => parseOwnJson('[{"a": {"b": 1, "b": 1}}]')).toThrow('"b" for the second time');
  const once = '{"a": {"a": ["a", "a", {"a": "a"}], "b": "\\"a\\": {"}, "b": [{"a": 1}, {"a": 1}], "": "a"}';
  expect(parseOwnJson(once)).toEqual(JSON.parse(once));
});

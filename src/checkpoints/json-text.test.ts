import { expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { changeJson } from "./json-text.ts";

const without = (text: string) =>
  changeJson(
    text,
    (entries) => ({ ...Object.fromEntries(Object.entries(entries).filter(([key]) => key !== "a")), new: "x" }),
    "f.json",
  );

test("numbers stay as they are written, strings too, and only the change is made", () => {
  const text =
    '{"a": 1, "one": 1.0, "small": [1e-05, -2.50, 10], "s": "1.0 \\"2\\" \\u00e9", "deep": {"a": 7.0, "n": null}}';
  expect(without(text)).toBe(`{
  "one": 1.0,
  "small": [
    1e-05,
    -2.50,
    10
  ],
  "s": "1.0 \\"2\\" é",
  "deep": {
    "a": 7.0,
    "n": null
  },
  "new": "x"
}
`);
});

test("what is no object is a ModelError", () => {
  for (const text of ["[1]", "3", "{", "null"]) expect(() => without(text)).toThrow(ModelError);
  expect(() => without("{")).toThrow("f.json: expected JSON");
});

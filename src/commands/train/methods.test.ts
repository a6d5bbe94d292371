import { expect, test } from "vitest";
import { parseTrain } from "./parse.ts";

const required = { model: "m", reward: "r", images: "i", class: "dog" };
const preserve = { ...required, method: "preserve" };

test("a method's settings are taken with that method, and refused with another", () => {
  expect(parseTrain({ flags: { ...preserve, preserveWeight: "3" } })).toMatchObject({
    method: "preserve",
    preserveWeight: 3,
  });
  expect(() => parseTrain({ flags: { ...preserve, beta: "3" } })).toThrow(
    "beta: belongs to method rpo, not to preserve",
  );
  expect(() => parseTrain({ flags: required, config: { preserveWeight: 3 } })).toThrow(
    "config: preserveWeight: belongs to method preserve, not to rpo",
  );
});

test("what a model says of other methods does not matter, nor does a run that goes on refuse its own", () => {
  const model = { beta: 5, preserveWeight: 7 };
  expect(parseTrain({ flags: preserve, model })).toMatchObject({ beta: 1, preserveWeight: 7 });
  expect(parseTrain({ flags: required, model })).toMatchObject({ beta: 5, preserveWeight: 0.1 });
  expect(parseTrain({ flags: {}, run: { ...preserve, preserveWeight: 5 } })).toMatchObject({ preserveWeight: 5 });
});

test("a method that there is none of is refused by the names of those that there are", () => {
  expect(() => parseTrain({ flags: { ...required, method: "magic" } })).toThrow(
    'method "magic": expected advantage, dpo, dreambooth, inversion, kto, preserve, rpo or sfo',
  );
});

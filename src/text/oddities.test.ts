import { expect, test } from "vitest";
import { odditiesOf } from "./oddities.ts";

const token = "[V]";
const found = (prompt: string, use = {}) => odditiesOf(prompt, { token, ...use }).map((each) => each.found);

test.each([
  ["a {token} {class}", "{token}"],
  ["a dog <lora:mydog:0.8>", "<lora:mydog:0.8>"],
  ["a (dog:1.4)", "(dog:1.4)"],
  ["a ((dog))", "((dog))"],
  ["a dog BREAK a cat", "BREAK"],
  ["a dog++ on a beach", "dog++"],
  ["a [cat:dog:0.5]", "[cat:dog:0.5]"],
  ["a [cat|dog]", "[cat|dog]"],
  ["a dog in {red|blue} light", "{red|blue}"],
  ["a dog, __style__", "__style__"],
  ["a dog AND a cat", "AND"],
  ["a dog --w 512 --h 512", "--w 512"],
  ["a dog --n low quality", "--n"],
  ["a dog, embedding:bad-hands", "embedding:bad-hands"],
  ["a dog, <ti:bad-hands:1>", "<ti:bad-hands:1>"],
  ["a (small dog)1.2 on grass", "(small dog)1.2"],
  ["a (small dog)++", "(small dog)++"],
  ['("a dog", "a cat").blend(0.3, 0.7)', ").blend("],
  ["a {{dog}} on grass", "{{dog}}"],
  ["1.3::dog::, grass", "1.3::"],
  ["a dog::2 grass", "::2"],
  ["a dog \\(cartoon\\)", "\\("],
  ["a dog &amp; a cat", "&amp;"],
  ["a do\u200bg", "U+200B"],
  ["\ufeffa dog", "U+FEFF"],
  ["a \u202edog", "U+202E"],
])("%s: %s is named", (prompt, oddity) => {
  expect(found(prompt)).toEqual([oddity]);
});

test("plain prompts hold nothing odd, and what is on is none", () => {
  for (const prompt of [
    "a photo of a [V] dog",
    "a dog (seen from afar), at 10:30 - on the Moon",
    "a black-and-white dog; R&B, 50% off!",
    "a well--lit dog",
    "a dog [in the snow]",
    "a C++11 book",
    "a dog (number 2), 3:2, f/2.8",
    "a family 👩‍👩‍👧, ❤️, می‌خواهم",
    "R&B; a dog::cat std::vector",
  ])
    expect(found(prompt)).toEqual([]);
  expect(found("a ((dog:1.4)) BREAK b", { weights: true })).toEqual([]);
  expect(found("a dog \\(cartoon\\)", { weights: true })).toEqual([]);
  expect(found("a {token} {class}", { isFilled: true })).toEqual([]);
});

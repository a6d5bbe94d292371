import { expect, test } from "vitest";
import { classNotes, oddityNotes, withoutTokenNote } from "./prompt-notes.ts";

test("each kind of oddity is said once for all prompts", () => {
  const notes = oddityNotes(["a (dog:1.4)", "a (cat:1.2) <lora:x:1>", "a <lora:y:1>"], { token: "[V]" });
  expect(notes).toEqual([
    '"(dog:1.4)" in a prompt is read as words; prompt weights are off',
    '"<lora:x:1>" in a prompt is read as words; a LoRA is added by its file (lora FILE:WEIGHT)',
  ]);
});

test("prompts without the identifier are named", () => {
  expect(withoutTokenNote(["a [V] dog"], "[V]")).toBeUndefined();
  expect(withoutTokenNote(["a [V] dog", "a dog", "a cat"], "[V]")).toBe(
    'without the identifier [V], and so not of the subject: "a dog" (and 1 more)',
  );
});

test.each([
  ["[V]", "dog", []],
  ["[V]", "guinea pig", []],
  ["sks", "asks dog", []],
  ["[V]", "t-shirt", []],
  ["[V]", "child's toy", []],
  ["[V]", "the", ['the class "the" begins with "the": prompts read "a photo of [V] the"']],
  ["[V]", "my dog", ['the class "my dog" begins with "my": prompts read "a photo of [V] my dog"']],
  ["[V]", "dog, cat", ['the class "dog, cat" holds ",": prompts read "a photo of [V] dog, cat"']],
  ["[V]", "{class}", ['the class "{class}" holds "{class}": prompts read "a photo of [V] {class}"']],
  ["[V]", "a dog", ['the class "a dog" begins with "a": prompts read "a photo of [V] a dog"']],
  [
    "ohwx",
    "ohwx person",
    ['the class "ohwx person" holds the identifier ohwx: prompts read "a photo of ohwx ohwx person"'],
  ],
  ["ohwx person", "person", ['"person" stands twice: prompts read "a photo of ohwx person person"']],
])("identifier %s, class %s", (token, className, notes) => {
  expect(classNotes({ token, class: className, prompt: `a photo of ${token} ${className}` })).toEqual(notes);
});

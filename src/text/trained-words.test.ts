import { expect, test } from "vitest";
import { golden } from "../../tests/formats/golden.ts";
import { loadClipTokenizer } from "./clip.ts";
import { normalizeClip } from "./normalize.ts";
import { trainedWords } from "./trained-words.ts";

const cut = trainedWords(
  [
    { word: "sks", ids: [1] },
    { word: "<cat-toy>", ids: [2, 3] },
    { word: "sks dog", ids: [4] },
    { word: "v1", ids: [5] },
  ],
  normalizeClip,
);

test.each<[string, (string | number[])[]]>([
  ["sks", [[1]]],
  ["asks", ["asks"]],
  ["skså", ["skså"]],
  ["sks, sks-1 sks2", [[1], ", ", [1], "-1 ", [1], "2"]],
  ["a sks dog", ["a ", [4]]],
  ["a sks doge", ["a ", [1], " doge"]],
  ["a<cat-toy>s", ["a", [2, 3], "s"]],
  ["v1 v12 av1", [[5], " ", [5], "2 av1"]],
])("%s", (text, expected) => {
  expect(cut(text).filter((piece) => piece !== "")).toEqual(expected);
});

test("a tokenizer has the words' ids in their place, whatever the case, within its length", async () => {
  const plain = await loadClipTokenizer(golden("sd1/tokenizer"));
  const { ids: without } = plain.encode("a dog");
  const end = without.indexOf(without[76]);
  const tokenizer = plain.withWords([{ word: "My  Style", ids: [5000, 5001] }]);
  const { ids, attentionMask } = tokenizer.encode("a dog MY style");
  expect([...ids.subarray(0, end + 3)]).toEqual([...without.subarray(0, end), 5000, 5001, without[end]]);
  expect(attentionMask.reduce((sum, one) => sum + one, 0)).toBe(end + 3);
  expect(tokenizer.encode("a dog")).toEqual(plain.encode("a dog"));
  expect(tokenizer.encode("my style ".repeat(60)).ids.length).toBe(77);
});

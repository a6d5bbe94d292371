import { expect, test } from "vitest";
import { isLive } from "./live-words.ts";

test.each(
  `dog|cat|Cat|corgi dog|child|children|people|person|husky|huskies|kid|teenager|man|women|a dog|my cat|golden retriever|German shepherd|
  toy poodle|dog with a hat|woman in a red dress|man with glasses|guinea pig|sea lion|polar bear|puppies|mice|wolves|foxes|
  Siberian husky|maine coon|shih tzu|chocolate labrador|group of people|pair of dogs|anime character|bride|grandmother|parrot|butterfly|
  axolotl|dragon|shiba inu|horse|goldfish|snow leopard|prairie dog|girl|person wearing a backpack`
    .split("|")
    .map((word) => word.trim()),
)("%s is alive", (word) => {
  expect(isLive(word)).toBe(true);
});

test.each(
  `hot dog|hot dogs|corn dog|teddy bear|teddy bears|stuffed animal|plush dog|toy dog|dog toy|rubber duck|gummy bear|computer mouse|
  rocking horse|balloon dog|roast chicken|fried fish|wooden horse|backpack|vase|dog bed|cat tree|horse saddle|bear plushie|sneaker|car|
  action figure|doll|robot|house|cartoon|can|clock|chair with a cat pattern|statue of a lion|fire hydrant|glasses|dress|bus|bass guitar|
  scale model|Lego man|gingerbread man|chocolate bunny|mannequin|snowman|Hund|`
    .split("|")
    .map((word) => word.trim())
    .filter((word) => word !== ""),
)("%s is a thing", (word) => {
  expect(isLive(word)).toBe(false);
});

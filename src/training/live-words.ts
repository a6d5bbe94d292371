/** Which class words name a living subject: one that can wear an outfit and swim, which the default prompts ask of it. */

const list = (words: string): string[] => words.trim().split(/\s+/);

/** Nouns, in the singular. */
const LIVE = new Set([
  ...list(`
    human person people man woman boy girl child kid baby infant newborn toddler teen teenager adult lady gentleman guy
    mother mom mum father dad daddy mommy parent sister brother sibling daughter son twin grandmother grandma grandfather grandpa aunt uncle
    cousin niece nephew wife husband girlfriend boyfriend friend bride groom couple family
    actor actress singer musician dancer athlete player runner swimmer cyclist boxer wrestler gymnast celebrity influencer model
    doctor nurse teacher student soldier officer policeman policewoman firefighter fireman chef cook farmer pilot astronaut artist painter
    king queen prince princess knight warrior samurai ninja viking pirate wizard witch mage monk nun priest pope santa
    elf fairy mermaid vampire zombie orc goblin dwarf angel demon superhero hero heroine villain character face
  `),
  ...list(`
    animal pet mammal bird reptile amphibian insect creature beast puppy kitten kitty cub foal calf lamb piglet chick duckling
    dog doggo canine hound cat feline horse pony donkey mule zebra cow bull ox buffalo bison yak goat sheep ram pig hog boar
    rabbit bunny hare hamster gerbil mouse rat guinea-pig chinchilla ferret squirrel chipmunk hedgehog porcupine mole bat beaver otter weasel
    badger skunk raccoon fox wolf coyote jackal hyena dingo bear panda koala kangaroo wallaby wombat possum opossum sloth anteater armadillo
    lion tiger leopard cheetah jaguar panther cougar puma lynx bobcat ocelot elephant rhino rhinoceros hippo hippopotamus giraffe camel llama
    alpaca deer fawn stag elk moose reindeer antelope gazelle monkey ape gorilla chimpanzee chimp orangutan baboon lemur meerkat mongoose
    seal walrus whale dolphin orca porpoise manatee shark fish goldfish koi salmon trout tuna clownfish pufferfish stingray eel seahorse
    octopus squid jellyfish starfish crab lobster shrimp
    parrot parakeet budgie cockatiel cockatoo macaw canary finch sparrow robin crow raven magpie pigeon dove seagull gull pelican heron
    flamingo stork swan goose duck chicken hen rooster cockerel turkey peacock pheasant quail ostrich emu penguin owl eagle hawk falcon
    vulture hummingbird kingfisher woodpecker toucan puffin
    snake python cobra viper lizard gecko iguana chameleon crocodile alligator turtle tortoise frog toad salamander newt axolotl
    butterfly moth bee wasp bumblebee ant beetle ladybug ladybird dragonfly grasshopper cricket mantis caterpillar spider tarantula
    scorpion snail slug worm dragon unicorn dinosaur phoenix griffin pegasus monster alien werewolf yeti
  `),
  // breeds by which people call their pets
  ...list(`
    husky malamute samoyed akita shiba inu corgi poodle labradoodle goldendoodle cockapoo cavapoo labrador lab retriever terrier bulldog
    frenchie pug beagle dachshund chihuahua dalmatian spaniel collie sheepdog shepherd schnauzer rottweiler doberman mastiff greyhound
    whippet pomeranian maltese shih-tzu tzu havanese bichon pinscher pitbull newfoundland bernese dane vizsla weimaraner setter mutt
    tabby siamese sphynx ragdoll calico tuxedo-cat coon shorthair longhair mustang stallion mare
  `),
]);

/** Plurals that are made otherwise than with an s. */
const PLURALS: Readonly<Record<string, string>> = {
  ...{
    men: "man",
    women: "woman",
    children: "child",
    mice: "mouse",
    geese: "goose",
    oxen: "ox",
    wolves: "wolf",
    calves: "calf",
  },
  ...{
    elves: "elf",
    dwarves: "dwarf",
    wives: "wife",
    policemen: "policeman",
    firemen: "fireman",
    huskies: "husky",
    fishes: "fish",
  },
};

/** Words before an animal's name that make it a thing. */
const LIFELESS = new Set(
  list(`stuffed plush plushie toy ceramic wooden plastic rubber porcelain bronze knitted crochet crocheted inflatable origami lego gummy
    gingerbread roast roasted fried grilled smoked embroidered cardboard paper`),
);

/** Things and dishes that are called as an animal is. */
const THINGS = new Set([
  "hot dog",
  "hotdog dog",
  "corn dog",
  "chili dog",
  "teddy bear",
  "balloon dog",
  "computer mouse",
  "wireless mouse",
  "gaming mouse",
  "optical mouse",
  "rocking horse",
  "chocolate bunny",
  "chocolate rabbit",
  "easter bunny",
  "piggy bank",
  "clay turtle",
  "garden elf",
  "care bear",
  "paper crane",
  "car model",
  "scale model",
  "clay pigeon",
]);
/** And animals that are called as a thing is. */
const ANIMALS = new Set(["toy poodle", "toy terrier", "toy spaniel", "toy dog breed"]);

const QUANTITY = /^(?:pair|group|couple|bunch|herd|pack|flock|family|team|class|band) of /;
/** What follows says more of the noun before it. */
const AFTER_NOUN = /\s(?:with|in|on|at|of|from|wearing|holding|without|by|under|who|that|and)\s/;

/**
 * Whether the class word names a living subject. Of several words the noun decides, which is the last before "with", "in" and the like: "corgi
 * dog" and "dog with a hat", but "dog toy", "stuffed animal" and "hot dog".
 */
export function isLive(className: string): boolean {
  const plain = className
    .trim()
    .toLowerCase()
    .replace(/^(?:an?|the|my|our|his|her|their)\s+/, "")
    .replace(QUANTITY, "");
  const [noun] = plain.split(AFTER_NOUN);
  const words = noun.split(/[\s,]+/).filter((word) => word !== "");
  const last = singular(words.at(-1) ?? "");
  const pair = [...words.slice(-2, -1), last].join(" ");
  if (THINGS.has(pair)) return false;
  if (ANIMALS.has(pair)) return true;
  if (words.some((word) => LIFELESS.has(word))) return false;
  return LIVE.has(last) || LIVE.has(last.replace(/^.*-/, ""));
}

function singular(word: string): string {
  if (LIVE.has(word)) return word;
  const found = [PLURALS[word], word.replace(/ies$/, "y"), word.replace(/es$/, ""), word.replace(/s$/, "")];
  return found.find((each) => each !== undefined && LIVE.has(each)) ?? word;
}

/** The words of version 0.1.0: of a run whose config.json does not say the kind. */
const FORMERLY_LIVE = new Set(
  list(`animal baby bear bird boy bunny calf camel cat chick chicken cow deer dog dolphin donkey duck elephant ferret fish fox frog
    gecko giraffe girl goat goldfish goose guinea-pig hamster hedgehog hen horse human iguana kangaroo kitten koala lamb leopard
    lion lizard llama man monkey mouse otter owl panda parrot penguin person pig pigeon pony puppy rabbit raccoon rat rooster
    seal sheep sloth snake squirrel swan tiger toddler tortoise turtle wolf woman zebra`),
);
const FORMERLY_LIFELESS = new Set(["stuffed", "plush", "toy", "ceramic", "wooden", "plastic"]);

/** What {@link isLive} was in version 0.1.0, so that runs of that version go on with their own prompts. */
export function wasLive(className: string): boolean {
  const words = className.trim().toLowerCase().split(/\s+/);
  return !words.some((word) => FORMERLY_LIFELESS.has(word)) && FORMERLY_LIVE.has(words[words.length - 1]);
}

/** Texts of all kinds, for which a merged model is to stay as it was. */

const KINDS = "small old red bright broken golden wooden quiet huge striped dusty blue sleeping plastic soft green new painted heavy white strange clean tiny".split(" "); // prettier-ignore
const THINGS =
  "dog cat horse bird cow sheep bear fish car bus train boat bicycle plane truck house church bridge tower castle table chair sofa bed lamp clock book bottle cup bowl plate spoon cake pizza apple banana flower tree plant grass man woman child boy girl doctor painter player toy ball hat shoe coat bag umbrella phone computer keyboard guitar piano window door mountain river".split(
    " ",
  );
const PLACES = [
  "on the beach",
  "in the snow",
  "in front of a mountain",
  "on a wooden table",
  "in a kitchen at night",
  "under a large tree",
  "beside the road",
  "on top of a hill with flowers",
  "in the rain",
  "near an open window",
  "in the middle of a city",
  "next to a man with a camera",
  "at sunset",
  "on a green field behind a fence",
  "in the style of an oil painting",
  "floating on the sea",
  "seen from above",
  "with a blue sky",
  "and two people walking",
];

/** How many there are: enough tokens for an XL's features of 2048 numbers. */
const COUNT = 400;

/**
 * Captions as people write them, each another kind of another thing in another place. They are this program's own; the authors take 200
 * captions of photos, which `--captions` reads.
 */
export function defaultCaptions(): string[] {
  return Array.from({ length: COUNT }, (_, i) => {
    const [kind, thing, place] = [KINDS[i % KINDS.length], THINGS[i % THINGS.length], PLACES[i % PLACES.length]];
    const article = /^[aeiou]/.test(kind) ? "an" : "a";
    return `${i % 4 === 0 ? "a photo of " : ""}${article} ${kind} ${thing} ${place}`;
  });
}

import type { Surroundings } from "../settings/surroundings.ts";
import { Random } from "../tensor/random.ts";
import { instanceOf } from "./instance.ts";
import { plainKindOf, type PlainKind } from "./places/plain.ts";
import { sampleScene } from "./sample.ts";
import type { ClassName, Scene } from "./scene.ts";

/** A held-out instance whose photos come with the package, for the demo. */
export interface Subject {
  /** Of its folder. */
  readonly name: string;
  readonly className: ClassName;
  /** Of its instance, among those that no model was pretrained on. */
  readonly seed: number;
  /** What a person sees; no caption says it. */
  readonly description: string;
}

export const PHOTOS_OF_A_SUBJECT = 5;

/** Of different classes, and each unlike the others of its class. */
export const SUBJECTS: readonly Subject[] = [
  {
    name: "backpack",
    className: "backpack",
    seed: 1_000_007,
    description: "green with a salmon zigzag, a salmon pocket and a blue triangle",
  },
  { name: "dog", className: "dog", seed: 1_000_011, description: "dark grey with white stripes and a magenta collar" },
  { name: "cat", className: "cat", seed: 1_000_002, description: "orange with dark spots and yellow eyes" },
  { name: "teapot", className: "teapot", seed: 1_000_011, description: "red with light patches and a blue handle" },
  { name: "boot", className: "boot", seed: 1_000_010, description: "maroon and yellow stripes with green laces" },
  { name: "toy-car", className: "toy car", seed: 1_000_001, description: "purple with green patches and green wheels" },
  {
    name: "duck-toy",
    className: "duck toy",
    seed: 1_000_006,
    description: "orange and navy checks with an orange bill",
  },
  {
    name: "robot-toy",
    className: "robot toy",
    seed: 1_000_007,
    description: "turquoise with a dark blue pattern and red hands",
  },
];

const KINDS = { home: "room", garden: "lawn" } as const satisfies Readonly<
  Record<Exclude<Surroundings, "mixed">, PlainKind>
>;

/**
 * The scenes of a subject's photos: its own colours, nothing worn, and only surroundings that captions do not mention. The same views of
 * it whatever the surroundings.
 */
export function photoScenes({ className, seed }: Subject, surroundings: Surroundings = "home"): Scene[] {
  const instance = instanceOf(className, seed);
  const everywhere = surroundings === "mixed" ? {} : { seed: seedOf(KINDS[surroundings], className, seed) };
  return Array.from({ length: PHOTOS_OF_A_SUBJECT }, (_, i) => {
    const rng = new Random(seed).split("photo", className, i);
    const { scene } = sampleScene(rng, { instance, place: null, colour: null, worn: null, style: null });
    return { ...scene, ...everywhere };
  });
}

/** The seed of a subject's own room or lawn: the first one drawn that is of the kind. */
function seedOf(kind: PlainKind, className: ClassName, seed: number): number {
  const rng = new Random(seed).split("surroundings", className, kind);
  for (;;) {
    const sceneSeed = rng.integer(2 ** 32);
    if (plainKindOf(sceneSeed) === kind) return sceneSeed;
  }
}

import { z } from "zod";
import { MOST_WORDS } from "../checkpoints/embeddings/word-names.ts";
import { identifier, oneOf, prose, text, type Kind } from "./kinds.ts";
import type { SettingsTable } from "./setting.ts";
import type { Concept } from "./subjects.ts";

/** Several subjects in one training. */

/** Subjects of one training, each of which has a word. */
export const MOST_CONCEPTS = MOST_WORDS;

/** The authors' rare tokens, which the subjects' words begin as, in this order. */
export const RARE_WORDS = ["ktn", "pll", "ucd"] as const;

/** The fields of a subject, as people give them and as files hold them. */
export const CONCEPT_FIELDS = {
  images: text,
  class: prose,
  token: identifier,
  subject: oneOf(["live", "object"]),
  initializer: prose,
  classFolder: text,
  plain: prose,
} as const satisfies Record<keyof Concept, Kind<string>>;

/** A subject's fields as `concepts_list` of diffusers' and the authors' scripts of Custom Diffusion spells them. */
export const DIFFUSERS_FIELDS = ["instance_prompt", "class_prompt", "instance_data_dir", "class_data_dir"] as const;

const stored = z.strictObject({
  images: CONCEPT_FIELDS.images.stored,
  class: CONCEPT_FIELDS.class.stored,
  token: CONCEPT_FIELDS.token.stored,
  subject: CONCEPT_FIELDS.subject.stored.optional(),
  initializer: CONCEPT_FIELDS.initializer.stored.optional(),
  classFolder: CONCEPT_FIELDS.classFolder.stored.optional(),
  plain: CONCEPT_FIELDS.plain.stored.optional(),
}) satisfies z.ZodType<Concept>;

/** What editors know of a file of them, in our words or in diffusers'. */
const inFile = z.union([
  stored.partial({ token: true }),
  z
    .strictObject(Object.fromEntries(DIFFUSERS_FIELDS.map((name) => [name, z.string()])))
    .partial({ class_data_dir: true })
    .extend({ initializer: CONCEPT_FIELDS.initializer.stored.optional() }),
]);

const list: z.ZodType<Concept[]> = z.array(stored).min(2).max(MOST_CONCEPTS);

export const CONCEPTS = {
  /** A file of them; what a run has is its content, with the places of folders made absolute. */
  concepts: {
    given: list,
    stored: list,
    inSchema: z.union([z.string(), z.array(inFile).min(2).max(MOST_CONCEPTS)]),
    absent: "none",
    isUsers: true,
    inBench: "decided",
    takes: "<file>",
    defaultText: "one subject",
    group: "Subject",
    help: 'several subjects at once, in the place of --images and --class: a JSON list such as [{"images": "dog", "class": "dog"}, {"images": "pot", "class": "teapot"}]',
    inFile: "several subjects at once, in the place of images and class: a JSON file with a list of them, or the list",
    row: { label: "subjects" },
  },
} as const satisfies SettingsTable;

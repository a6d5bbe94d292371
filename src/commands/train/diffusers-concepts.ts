import { DIFFUSERS_FIELDS } from "../../settings/concepts.ts";
import type { Concept } from "../../settings/subjects.ts";
import { UsageError } from "../../system/errors.ts";

/** Where a subject of theirs has what ours has in a field: what a message about it names. */
export const THEIR_NAMES: Readonly<Partial<Record<keyof Concept, (typeof DIFFUSERS_FIELDS)[number]>>> = {
  images: "instance_data_dir",
  class: "class_prompt",
  token: "instance_prompt",
  plain: "instance_prompt",
  classFolder: "class_data_dir",
};

/** Their `--initializer_token`, which is no field there; ours may stand beside theirs. */
const BESIDE = "initializer";

/** What `--modifier_token` is in their examples. */
const MODIFIER = /<[^<>\s]+>/g;

/**
 * A subject of their list in our fields: the word is the one in angle brackets, and the class word what their class prompt says, which has to
 * stand behind it: `"photo of a <new1> cat"` and `"cat"`.
 * @returns undefined for a subject that has none of their fields
 * @throws UsageError where word and class cannot be told from the prompts
 */
export function fromDiffusers(entry: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const names = Object.keys(entry);
  if (!names.some(isTheirs)) return undefined;
  const other = names.find((name) => !isTheirs(name) && name !== BESIDE);
  if (other !== undefined)
    throw new UsageError(
      `${other} does not go with diffusers' ${DIFFUSERS_FIELDS.join(", ")}; use images, class, token and so on`,
    );
  const beside = BESIDE in entry ? { [BESIDE]: entry[BESIDE] } : {};
  const { instance_prompt: prompt, class_prompt: className, instance_data_dir: images, class_data_dir: folder } = entry;
  if (typeof prompt !== "string" || typeof className !== "string" || images === undefined)
    throw new UsageError("expected instance_prompt, class_prompt and instance_data_dir, or images and class");
  const words = [...new Set(prompt.match(MODIFIER))];
  const [token] = words;
  if (words.length !== 1)
    throw new UsageError(
      `instance_prompt ${JSON.stringify(prompt)}: expected one word in angle brackets, such as <new1>; use images, class and token instead`,
    );
  const subject = `${token} ${className.trim()}`;
  if (!prompt.includes(subject))
    throw new UsageError(
      `instance_prompt ${JSON.stringify(prompt)}: expected "${subject}" in it, for class_prompt ${JSON.stringify(className)} to be the class word; use images, class and token instead`,
    );
  const plain = prompt.replace(subject, () => "{token} {class}");
  return { images, class: className, token, plain, ...beside, ...(folder !== undefined && { classFolder: folder }) };
}

function isTheirs(name: string): boolean {
  return DIFFUSERS_FIELDS.some((field) => field === name);
}

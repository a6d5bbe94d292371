import { UsageError } from "../../system/errors.ts";

/** A subject's fields in `concepts_list` of diffusers' and the authors' scripts of Custom Diffusion. */
const FIELDS = ["instance_prompt", "class_prompt", "instance_data_dir", "class_data_dir"];

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
  if (!names.some((name) => FIELDS.includes(name))) return undefined;
  const other = names.find((name) => !FIELDS.includes(name));
  if (other !== undefined)
    throw new UsageError(
      `${other} does not go with diffusers' ${FIELDS.join(", ")}; use images, class, token and so on`,
    );
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
  return { images, class: className, token, plain, ...(folder !== undefined && { classFolder: folder }) };
}

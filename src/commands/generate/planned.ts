import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../../system/errors.ts";
import { exists, readJson, writeJson } from "../../system/files.ts";
import { parseAs } from "../../system/json.ts";
import type { GeneratedPicture, GenerateSettings } from "./settings.ts";

/** A picture that is to be drawn. */
export interface PlannedPicture extends GeneratedPicture {
  /** Whether it is drawn for the sake of those that it is drawn with, and not written. */
  readonly isBeside?: boolean;
}

/** The pictures of a call. File names begin with the prompt's number where there are several. */
export function plan({ prompts, count, seed, redraw }: GenerateSettings): PlannedPicture[] {
  if (redraw !== undefined)
    return redraw.pictures.map((picture, i) => ({
      ...picture,
      file: `${picture.seed}.png`,
      ...(i !== redraw.at && { isBeside: true }),
    }));
  return prompts.flatMap((prompt, p) =>
    Array.from({ length: count }, (_, i) => ({
      file: prompts.length === 1 ? `${seed + i}.png` : `${String(p).padStart(2, "0")}-${seed + i}.png`,
      prompt,
      seed: seed + i,
    })),
  );
}

/**
 * The pictures of the batches in which one is missing: with several threads a picture's last bits depend on what is drawn with it, so
 * that a batch is drawn whole or not at all.
 */
export function incomplete(
  planned: readonly PlannedPicture[],
  there: ReadonlySet<PlannedPicture>,
  batches: readonly (readonly number[])[],
): PlannedPicture[] {
  return batches
    .map((batch) => batch.map((i) => planned[i]))
    .filter((batch) => batch.some((picture) => !there.has(picture)))
    .flat();
}

const promptsFile = z.record(z.string(), z.unknown());

/**
 * prompts.json: {"<file>": {"prompt", "seed"}}, and what each was drawn with; pictures of earlier calls stay in it.
 * @param more of a picture, besides
 */
export async function writePrompts(
  output: string,
  pictures: readonly GeneratedPicture[],
  more: (picture: GeneratedPicture) => object = () => ({}),
): Promise<void> {
  const path = join(output, "prompts.json");
  const known = (await exists(path)) ? parseAs(promptsFile, await readJson(path, UsageError), path, UsageError) : {};
  for (const { file, prompt, seed, ...rest } of pictures)
    known[file] = { prompt, seed, ...more({ file, prompt, seed, ...rest }) };
  await writeJson(path, known);
}

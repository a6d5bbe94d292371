import { isWordIn } from "../../checkpoints/embeddings/embed.ts";
import { UsageError } from "../../system/errors.ts";
import { reasonOf } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { linesOf } from "../../system/lines-or-json.ts";
import { readText } from "../../system/regular-files.ts";
import type { MERGE } from "../../settings/merge.ts";
import type { ValuesOf } from "../../settings/setting.ts";
import type { Interaction } from "../interaction.ts";
import { normalizeClip } from "../../text/normalize.ts";
import { findSource, type Source } from "../source.ts";
import { defaultCaptions } from "./captions.ts";
import type { MergeSettings } from "./settings.ts";
import { checkDifferent, findTraining, type MergedTraining } from "./training.ts";

const MOST_CAPTIONS = 2000;

/**
 * What is to be merged, everything checked that can be without reading weights.
 * @param folders runs, or checkpoints of Custom Diffusion
 * @throws UsageError
 */
export async function resolveMerge(
  folders: readonly string[],
  { model, classes, captions, output, threads }: ValuesOf<typeof MERGE>,
  interaction: Interaction,
): Promise<MergeSettings> {
  if (folders.length < 2)
    throw new UsageError(`expected two or more runs of Custom Diffusion, or checkpoints of it, got ${folders.length}`);
  if (classes !== undefined && classes.length !== folders.length)
    throw new UsageError(
      say`${setting("classes", classes.join(","))}: expected ${folders.length}, one for each of ${folders.join(", ")}`,
    );
  const trainings: MergedTraining[] = [];
  for (const folder of folders) trainings.push(await findTraining(folder));
  await checkDifferent(trainings);
  const nouns = trainings.map(({ folder, run }, i) => {
    const noun = classes?.[i] ?? run?.settings.class;
    if (noun === undefined)
      throw new UsageError(
        say`${setting("classes")} is missing: ${folder} is no run, which would say what its subject is`,
      );
    return noun;
  });
  const sources = await findModel(trainings, model, interaction);
  const names = wordsOf(trainings, nouns, interaction);
  const concepts = trainings.map(({ checkpoint, run }, i) => ({
    checkpoint,
    token: run?.settings.token,
    word: names[i],
    class: nouns[i],
  }));
  const { variant, vae, prediction } = sources[0];
  const texts = captions === undefined ? defaultCaptions() : await readCaptions(captions);
  return { model: sources[0].model, variant, vae, prediction, concepts, captions: texts, output, threads };
}

/** The one model that all were trained on. @throws UsageError where it is not one, or nothing says which */
async function findModel(
  trainings: readonly MergedTraining[],
  model: string | undefined,
  interaction: Interaction,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const { folder, run } of trainings) {
    if (run === undefined && model === undefined)
      throw new UsageError(
        say`${setting("model")} is missing: ${folder} is no run, which would say what it was trained on`,
      );
    sources.push(await findSource({ model, adapter: folder, ownModel: true }, interaction));
  }
  const [first] = sources;
  for (const [i, other] of sources.entries())
    if (other.model !== first.model)
      throw new UsageError(
        say`${trainings[i].folder} was trained on ${other.model} and ${trainings[0].folder} on ${first.model}; only trainings on one model can be merged (where it is the same in two places, name it: ${setting("model")})`,
      );
  return sources;
}

/** What stands for each subject in prompts: its own token where all have another and none is in a class, which would be read as that subject; else <new1>, <new2>, ... */
function wordsOf(trainings: readonly MergedTraining[], classes: readonly string[], interaction: Interaction): string[] {
  const numbered = trainings.map((_, i) => `<new${i + 1}>`);
  const tokens = trainings.flatMap(({ run }) => (run === undefined ? [] : [run.settings.token]));
  // trainings have the same token unless told otherwise
  const isOwn = tokens.length === trainings.length && new Set(tokens.map(normalizeClip)).size === tokens.length;
  if (!isOwn) return numbered;
  const at = tokens.findIndex((word) => isWordIn(word, classes));
  if (at < 0) return tokens;
  interaction.warn(
    `${tokens[at]}, the word of ${trainings[at].folder}, is in the class of a subject too: the subjects are called ${numbered.join(" and ")}`,
  );
  return numbered;
}

/** A caption a line. @throws UsageError for a file with none */
async function readCaptions(path: string): Promise<string[]> {
  const text = await readText(path).catch((error: unknown) => {
    throw new UsageError(say`${setting("captions", path)}: ${reasonOf(error)}`);
  });
  const captions = linesOf(text);
  if (captions.length > MOST_CAPTIONS)
    throw new UsageError(
      say`${setting("captions", path)}: ${captions.length} texts, expected at most ${MOST_CAPTIONS}; take a part of them`,
    );
  if (captions.length === 0)
    throw new UsageError(say`${setting("captions", path)}: no text in it (expected a caption a line)`);
  return captions;
}

import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isCrossAttention } from "../../checkpoints/cross-attention.ts";
import { wordFilesIn } from "../../checkpoints/embeddings/word-files.ts";
import { CHECKPOINTS } from "../../runs/folder.ts";
import { UsageError } from "../../system/errors.ts";
import { exists, reasonOf } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { linesOf } from "../../system/lines-or-json.ts";
import { readText } from "../../system/regular-files.ts";
import type { MERGE } from "../../settings/merge.ts";
import type { ValuesOf } from "../../settings/setting.ts";
import type { Interaction } from "../interaction.ts";
import { findSource, type Source } from "../source.ts";
import { defaultCaptions } from "./captions.ts";
import type { MergedConcept, MergeSettings } from "./settings.ts";

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
  const sources: Source[] = [];
  for (const folder of folders) {
    if (!(await exists(folder)))
      throw new UsageError(`${folder}: no such folder (expected a run of Custom Diffusion, or a checkpoint of it)`);
    sources.push(await findSource({ model, adapter: folder }, interaction));
  }
  await checkDifferent(folders);
  const [first] = sources;
  for (const [i, other] of sources.entries())
    if (other.model !== first.model)
      throw new UsageError(
        say`${folders[i]} was trained on ${other.model} and ${folders[0]} on ${first.model}; only trainings on one model can be merged (where it is the same in two places, name it: ${setting("model")})`,
      );
  const concepts: MergedConcept[] = [];
  const tokens = sources.map(({ run }) => run?.settings.token);
  // trainings have the same token unless told otherwise
  const areNames = tokens.every((token) => token !== undefined) && new Set(tokens).size === tokens.length;
  for (const [i, { checkpoint, run }] of sources.entries()) {
    const noun = classes?.[i] ?? run?.settings.class;
    if (checkpoint === undefined && run !== undefined)
      throw new UsageError(
        `${folders[i]}: its best is the starting model, which has nothing to merge; give one of the folders in ${join(run.folder, CHECKPOINTS)}`,
      );
    if (checkpoint === undefined || !(await isCrossAttention(checkpoint)))
      throw new UsageError(
        `${folders[i]}: expected what --method custom trains: keys and values of the attention to texts, and a word`,
      );
    if ((await wordFilesIn(checkpoint)).length === 0)
      throw new UsageError(`${checkpoint}: no word in it (expected learned_embeds.safetensors)`);
    if (noun === undefined)
      throw new UsageError(
        say`${setting("classes")} is missing: ${folders[i]} is no run, which would say what its subject is`,
      );
    const token = tokens[i];
    concepts.push({ checkpoint, token, word: areNames && token !== undefined ? token : `<new${i + 1}>`, class: noun });
  }
  const { variant, vae, prediction } = first;
  const texts = captions === undefined ? defaultCaptions() : await readCaptions(captions);
  return { model: first.model, variant, vae, prediction, concepts, captions: texts, output, threads };
}

/** @throws UsageError for the same training twice, which is one subject */
async function checkDifferent(folders: readonly string[]): Promise<void> {
  const places = await Promise.all(folders.map((folder) => realpath(folder)));
  const runs = places.map((place) => (basename(dirname(place)) === CHECKPOINTS ? dirname(dirname(place)) : place));
  const again = runs.findIndex((run, i) => runs.indexOf(run) < i);
  if (again >= 0)
    throw new UsageError(
      `${folders[again]} is of the same training as ${folders[runs.indexOf(runs[again])]}: one subject`,
    );
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

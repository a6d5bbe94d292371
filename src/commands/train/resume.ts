import { sep } from "node:path";
import { EMBEDDED_MODEL, embeddedPart } from "../../checkpoints/embedded.ts";
import { cacheOfSnapshot, readRef, repoOfSnapshot } from "../../hub/cache.ts";
import { DEFAULT_REVISION } from "../../hub/names.ts";
import { readRunConfig } from "../../runs/config.ts";
import { holdsRun } from "../../runs/folder.ts";
import { isOver } from "../../runs/growth.ts";
import type { GivenSettings } from "../../settings/parse.ts";
import { namesOf, withoutOthers } from "../../settings/setting.ts";
import { TRAIN } from "../../settings/train.ts";
import { TRAINING_MODELS, type TrainingModel, type TrainRequest } from "../../settings/train-settings.ts";
import { UsageError, type Message } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import type { Interaction } from "../interaction.ts";
import { restoreModel } from "../models/hub-models.ts";
import { checkThere } from "../models/moved.ts";
import { checkModel, hubNameOf } from "../models/names.ts";
import { checkFolder } from "../paths.ts";
import { checkConceptsThere, conceptsNow } from "./concepts.ts";
import { parseTrain } from "./parse.ts";

/**
 * The request of a run that goes on: its own settings, with what may be another now, such as more steps, threads, and places that have moved.
 * @param given what is asked for, which may repeat the run's settings but not contradict them
 * @throws UsageError naming what differs, or what is gone
 */
export async function resumedRequest(given: GivenSettings, interaction: Interaction): Promise<TrainRequest> {
  const { output, threads, ...rest } = given;
  // a run goes on where it was
  const { device, ...apart } = rest;
  const others = device === "auto" ? apart : rest;
  if (typeof output !== "string" || output.trim() === "")
    throw new UsageError(say`${setting("resume")} needs ${setting("output")}, the folder of the run to continue`);
  if (!(await holdsRun(output))) throw new UsageError(say`${setting("resume")}: no run in ${output} to continue`);
  const { settings: saved, judging } = await readRunConfig(output);
  if (judging !== undefined)
    throw new UsageError(
      say`${setting("output", output)}: this run judges the checkpoints of another program; rpo judge goes on with it`,
    );
  const run = withoutOthers(TRAIN, saved);
  const concepts = await conceptsNow(given["concepts"], saved.concepts);
  const again = given["concepts"] === undefined ? undefined : concepts && { concepts, images: concepts[0].images };
  const wanted = parseTrain({ flags: { ...(await withoutSame(others, saved)), ...again, output }, run });
  const known: GivenSettings = { ...parseTrain({ flags: { output }, run }) };
  const finished = await isOver(output, wanted.steps);
  if (concepts !== undefined && !finished) await checkConceptsThere(concepts);
  const grows = wanted.steps > saved.steps;
  if (grows && saved.schedule === "cosine")
    throw new UsageError(
      say`${setting("steps", wanted.steps)}: the run's learning rate falls to 0 at step ${saved.steps} (${setting("schedule", saved.schedule)}), so that it cannot end as one of more steps; start a new run`,
    );
  const moved = [...(finished ? [] : await goneOf(saved)), ...Object.keys(again ?? {})];
  for (const [key, value] of Object.entries(wanted))
    if (
      key !== "threads" &&
      !moved.includes(key) &&
      !(key === "steps" && grows) &&
      JSON.stringify(value) !== JSON.stringify(known[key])
    )
      throw new UsageError(
        say`${setting("resume")}: ${contradiction(nameIn(given, key), value, known[key])}; leave it out, or start a new run`,
      );
  const isGone = concepts === undefined && moved.includes("images");
  if (isGone && wanted.images === saved.images)
    throw new UsageError(
      say`${setting("resume")}: the run's photos are no longer in ${saved.images}; say where they are with ${setting("images")}`,
    );
  if (isGone) await checkFolder("images", wanted.images, "a folder with pictures");
  const paths = finished
    ? {}
    : { ...(await restorePaths({ ...saved, output }, wanted, interaction)), images: wanted.images, ...again };
  const { steps } = wanted;
  if (threads === undefined) return { ...saved, ...paths, steps, output };
  const request = { ...saved, ...paths, steps, output, threads: parseTrain({ flags: { threads }, run }).threads };
  if (request.threads !== saved.threads)
    interaction.warn(
      `the run was begun with ${saved.threads} threads; with ${request.threads} its results will differ in the last bits`,
    );
  return request;
}

/** Those of a run's photos and models that are no longer where they were. They are known by their content, and may be elsewhere. */
async function goneOf(saved: TrainRequest): Promise<string[]> {
  const gone: string[] = [];
  for (const key of ["images", ...TRAINING_MODELS] as const) {
    const path = saved[key];
    if (path !== undefined && !(await exists(path))) gone.push(key);
  }
  return gone;
}

/** What a setting was given as. */
function nameIn(given: GivenSettings, key: string): string {
  return namesOf(TRAIN, key).find((name) => name in given) ?? key;
}

function contradiction(name: string, value: unknown, known: unknown): Message {
  if (name === "steps")
    return say`${setting(name, String(value))} is less than the run's ${String(known)}, which can only grow`;
  if (value === false) return say`the run was begun without ${setting(`no${name[0].toUpperCase()}${name.slice(1)}`)}`;
  return say`${setting(name, JSON.stringify(value))} differs from the run's ${JSON.stringify(known)}`;
}

/**
 * Where the run's models are now, and the file of prompts if it came with the model.
 * @param wanted what was asked for: another place than the run's where the model is no longer there
 * @throws UsageError when a model is neither where it was nor where it is said to be
 */
async function restorePaths(
  saved: TrainRequest,
  wanted: Pick<TrainRequest, TrainingModel>,
  interaction: Interaction,
): Promise<Pick<TrainRequest, TrainingModel | "prompts">> {
  const placeOf = async (name: TrainingModel, former: string, now = former, variant?: string) => {
    if (now !== former) {
      await checkModel(name, now);
      return now;
    }
    const path = await restoreModel(name, former, interaction, variant);
    await checkThere(name, path, saved.output);
    return path;
  };
  const model = await placeOf("model", saved.model, wanted.model, saved.variant);
  const { model: former, prompts } = saved;
  const came = prompts?.startsWith(former + sep) === true;
  return {
    model,
    reward: await placeOf("reward", saved.reward, wanted.reward),
    ...(saved.vae !== undefined && { vae: await placeOf("vae", saved.vae, wanted.vae) }),
    ...(saved.imageEncoder !== undefined && {
      imageEncoder: await placeOf("imageEncoder", saved.imageEncoder, wanted.imageEncoder),
    }),
    ...(came && { prompts: model + prompts.slice(former.length) }),
  };
}

/** Without names of models on the hub that are the run's own, whatever their branches are at now. */
async function withoutSame(given: GivenSettings, saved: TrainRequest): Promise<GivenSettings> {
  const rest: Record<string, unknown> = { ...given };
  for (const key of TRAINING_MODELS) {
    const [name, former = ""] = [given[key], saved[key]];
    if (name === EMBEDDED_MODEL && embeddedPart(former) !== undefined) rest[key] = former;
    const onHub = typeof name === "string" ? await hubNameOf(key, name) : undefined;
    const run = repoOfSnapshot(former);
    if (onHub === undefined || onHub.repo !== run?.repo) continue;
    const { revision } = onHub;
    if (revision === DEFAULT_REVISION || (await readRef(cacheOfSnapshot(former), revision)) === run.commit)
      rest[key] = former;
  }
  return rest;
}

import { join } from "node:path";
import { HARMONIC } from "../reward/scale.ts";
import { checkpointPath } from "../runs/folder.ts";
import type { MethodName } from "../settings/learning.ts";
import { WHOLE } from "../settings/limits.ts";
import { exists } from "../system/files.ts";
import { choose, DEFAULT_LAMBDA, type Chosen, type Source, type Variant } from "./methods.ts";
import { identityOf, type Hashes } from "./hashes.ts";
import { trainingBy, type PlannedSubject } from "./plan.ts";
import type { SettingsOf, TaskKind } from "./tasks/settings.ts";
import type { ResultOf } from "./tasks/tasks.ts";

/** Has a task done. @param key everything that it depends on */
export type Need = <K extends TaskKind>(
  kind: K,
  key: unknown,
  settings: SettingsOf<K>,
  what: string,
) => Promise<{ result: ResultOf<K>; folder: string }>;

export type RunSource = Extract<Source, { readonly from: "run" }>;

/** The training of a row, and the checkpoint of it that the row is of. */
export interface Trained extends Chosen {
  /** Its folder. */
  readonly run: string;
  /** Gigabytes; null where that was not seen. */
  readonly memory: number | null;
}

interface Asking {
  readonly subject: PlannedSubject;
  readonly seed: number;
  readonly hashes: Hashes;
  readonly need: Need;
}

/** Times that a training is made longer; the steps that are asked for have a limit of their own. */
const MOST_TRIES = 3;

/**
 * Has a row's training done. At equal seconds its checkpoint is the last that was validated within them, or the best until then. A training
 * whose steps ended before is made again with more of them, so that it has its seconds too; one whose checkpoint was not kept, as of full
 * fine-tuning, with so few.
 */
export async function trained(
  { source, lambda, budget }: Pick<Variant, "lambda" | "budget"> & { readonly source: RunSource },
  asking: Asking,
): Promise<Trained> {
  const at = source.pick === "best" ? lambda : null;
  const first = await train(source, asking);
  const whole = first.choose(at);
  if (budget === undefined) return { ...whole, run: first.run, memory: first.memory };

  const within = budget === "rpo" ? await secondsOfRpo(asking) : budget;
  const { validateEvery } = trainingBy(asking.subject, source.trainedBy);
  let taken = first;
  // how long a step takes is known of the training before: one that was faster is made longer again
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const reached = taken.choose(at);
    const more = reached.steps === taken.lastStep ? moreSteps(reached, within) : 0;
    const steps = Math.min(WHOLE.steps[1], Math.ceil((reached.steps + more) / validateEvery) * validateEvery);
    if (more === 0 || steps <= reached.steps) break;
    taken = await train(source, asking, steps);
  }
  const chosen = taken.choose(at, within);
  const isKept = chosen.checkpoint === 0 || (await exists(join(taken.run, checkpointPath(chosen.checkpoint))));
  const { run } = isKept ? taken : await train(source, asking, chosen.checkpoint);
  return { ...chosen, run, memory: taken.memory };
}

/** How many more steps than it has a training makes in so many seconds. */
function moreSteps({ steps, seconds }: Chosen, within: number): number {
  return seconds === 0 || seconds >= within ? 0 : Math.floor(((within - seconds) * steps) / seconds);
}

/** What RPO's training takes of this subject and seed, at the table's lambda, until it stops. */
async function secondsOfRpo(asking: Asking): Promise<number> {
  const rpo = await train({ from: "run", trainedBy: "rpo", preference: true, pick: "best" }, asking);
  return rpo.choose(DEFAULT_LAMBDA).seconds;
}

/** Has a whole training done, of the plan's steps or of others. */
async function train(
  { trainedBy, preference }: RunSource,
  { subject, seed, hashes, need }: Asking,
  steps: number = trainingBy(subject, trainedBy).steps,
) {
  const settings = trainingBy(subject, trainedBy);
  const choices = { seed, preference, earlyStopping: false, lambda: DEFAULT_LAMBDA };
  const isLonger = steps !== settings.steps;
  const request = { ...settings, ...choices, ...(isLonger && { steps }) };
  const depends = { ...identityOf(subject, hashes, trainedBy), ...choices, ...(isLonger && { steps }) };
  const { result, folder } = await need("train", depends, request, `${subject.name} seed ${seed} ${wordsOf()}`);
  const { patience } = settings;
  return {
    run: folder,
    memory: result.peakBytes === undefined ? null : result.peakBytes / 1e9,
    lastStep: result.validations[result.validations.length - 1].step,
    choose: (at: number | null, within?: number): Chosen =>
      choose(result.validations, at, { patience, scale: result.scale ?? HARMONIC, within }),
  };

  function wordsOf(): string {
    const ablation = preference ? "L_sim + L_pref" : "L_sim";
    return `${trainedBy === "rpo" ? ablation : trainedBy}${isLonger ? `, ${steps} steps` : ""}`;
  }
}

/** By the method that a row's pictures are of; the model before training is drawn with as RPO's. */
export function trainedBy(source: Source): MethodName {
  return source.from === "run" ? source.trainedBy : "rpo";
}

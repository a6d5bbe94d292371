import { basename } from "node:path";
import { WHOLE } from "../settings/limits.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { CheckpointName, Unit } from "./names.ts";

/** The order of a training's checkpoints, and the step that each counts as. */

/** What is known of a checkpoint's place in its training. */
export interface Placed {
  readonly path: string;
  readonly name: CheckpointName;
  /** What its header says, where it says something. */
  readonly header: { readonly step?: number | undefined; readonly epoch?: number | undefined };
}

/** A checkpoint with its step. */
export interface Ordered {
  readonly path: string;
  readonly step: number;
}

export interface Order {
  readonly checkpoints: readonly Ordered[];
  /** What the numbers count. */
  readonly unit: Unit;
  /** What had to be assumed: lines for people. */
  readonly notes: readonly string[];
}

/**
 * Gives each checkpoint its step: by its name, else its header; where nothing says steps, by its epoch. The one without any number is the
 * last, as all trainers have it.
 * @param isSame whether two files hold the same weights: trainers write the last step twice
 * @throws UsageError where the order cannot be told, or two different files are of one step
 */
export async function orderCheckpoints(
  found: readonly Placed[],
  isSame: (a: string, b: string) => Promise<boolean>,
): Promise<Order> {
  const unit: Unit =
    found.every((each) => valueOf(each, "epoch") !== undefined || isBare(each)) && !allSaySteps(found)
      ? "epoch"
      : "step";
  const bare = found.filter((each) => valueOf(each, unit) === undefined);
  const lost = bare.find((each) => !isBare(each)) ?? bare.at(1);
  if (lost !== undefined)
    throw unordered(lost, found.find((each) => each !== lost && valueOf(each, unit) === undefined) ?? found[0]);
  const notes: string[] = [];
  const placed = found
    .flatMap((each) => {
      const step = valueOf(each, unit);
      return step === undefined ? [] : [{ path: each.path, step }];
    })
    .sort((a, b) => a.step - b.step);
  for (const { path } of bare) {
    const [before = 0, last = 0] = placed.slice(-2).map(({ step }) => step);
    const stride = placed.length === 0 ? 1 : placed.length === 1 ? before : last - before;
    const step = (placed.at(-1)?.step ?? 0) + Math.max(1, stride);
    placed.push({ path, step });
    notes.push(`${basename(path)} has no number: it is the last, and counts as ${unit} ${step}`);
  }
  if (unit === "epoch" && placed.length > 0)
    notes.push("the files' names count epochs and their headers say no steps: a step is an epoch here");
  return { checkpoints: await withoutTwins(placed, isSame, notes), unit, notes };
}

function isBare({ name: { mark }, header }: Placed): boolean {
  return mark === undefined && header.step === undefined && header.epoch === undefined;
}

/** Whether all that say anything say steps. */
function allSaySteps(found: readonly Placed[]): boolean {
  return found.every((each) => isBare(each) || valueOf(each, "step") !== undefined);
}

function valueOf({ name: { mark }, header }: Placed, unit: Unit): number | undefined {
  return mark?.unit === unit ? mark.value : header[unit];
}

function unordered({ path }: Placed, other: Placed): UsageError {
  return new UsageError(
    say`${setting("checkpoints", path)}: its name and header do not say which step it is of, and so it cannot be put in order with ${basename(other.path)}; name the files of one training, such as dog-*.safetensors`,
  );
}

/** One of each step. */
async function withoutTwins(
  placed: readonly Ordered[],
  isSame: (a: string, b: string) => Promise<boolean>,
  notes: string[],
): Promise<Ordered[]> {
  const kept: Ordered[] = [];
  for (const each of placed) {
    if (each.step > WHOLE.steps[1])
      throw new UsageError(
        say`${setting("checkpoints", each.path)}: step ${each.step}, expected at most ${WHOLE.steps[1]}`,
      );
    if (each.step === 0) {
      notes.push(`${basename(each.path)} is of step 0: the starting model, which is judged anyway`);
      continue;
    }
    const before = kept.at(-1);
    if (before?.step !== each.step) {
      kept.push(each);
      continue;
    }
    if (!(await isSame(before.path, each.path)))
      throw new UsageError(
        say`${setting("checkpoints", each.path)}: of the same step as ${before.path} (${each.step}), and another model; name the files of one training, such as dog-*.safetensors`,
      );
    notes.push(`${basename(each.path)} is ${basename(before.path)} again`);
  }
  return kept;
}

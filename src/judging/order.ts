import { basename } from "node:path";
import { WHOLE } from "../settings/limits.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { Unit } from "./names.ts";
import { placesOf, type Place, type Placed } from "./places.ts";

/** The order of a training's checkpoints, and the step that each counts as. */

/** A checkpoint with its step. */
export interface Ordered {
  readonly path: string;
  readonly step: number;
  /** Others that hold the same weights. */
  readonly twins: readonly string[];
}

export interface Order {
  readonly checkpoints: readonly Ordered[];
  /** What the numbers count. */
  readonly unit: Unit;
  /** What had to be assumed: lines for people. */
  readonly notes: readonly string[];
}

export interface OrderOptions {
  /** Whether two files hold the same weights: trainers write the last step twice. */
  readonly isSame: (a: string, b: string) => Promise<boolean>;
  /** What was judged before, by where it was: its step. */
  readonly before?: ReadonlyMap<string, number> | undefined;
}

/**
 * Gives each checkpoint its step: see {@link placesOf}; where nothing says steps, its epoch. The one without any number is the last, as all
 * trainers have it: it stands behind all others, as often as one of these comes.
 * @throws UsageError where they are of two trainings, the order cannot be told, or two different files are of one step
 */
export async function orderCheckpoints(
  found: readonly Placed[],
  { isSame, before = new Map() }: OrderOptions,
): Promise<Order> {
  checkOneTraining(found);
  const { unit, places } = placesOf(found);
  const [known, bare] = [
    places.filter(({ step }) => step !== undefined),
    places.filter(({ step }) => step === undefined),
  ];
  const lost = bare.find(({ isBare }) => !isBare) ?? bare.at(1);
  if (lost !== undefined) throw unordered(lost.path, bare.find((each) => each !== lost)?.path ?? places[0].path);
  const notes: string[] = [];
  const placed: Omit<Ordered, "twins">[] = known
    .map(({ path, step = 0 }) => ({ path, step }))
    .sort((a, b) => a.step - b.step);
  const last = bare.at(0);
  let twin: string | undefined;
  if (last !== undefined) {
    for (const { path } of placed) if (await isSame(path, last.path)) twin = path;
    if (twin !== undefined) notes.push(again(last.path, twin));
    else {
      const step = placeOfLast(last, placed, before);
      placed.push({ path: last.path, step });
      notes.push(
        last.hint === undefined
          ? `${basename(last.path)} has no number of a step: it is the last, and counts as ${unit} ${step}`
          : `${basename(last.path)}: nothing says what its number counts; it is taken for the last, and counts as ${unit} ${step}`,
      );
    }
  }
  if (unit === "epoch" && placed.length > 0)
    notes.push("the files' names count epochs and their headers say no steps: a step is an epoch here");
  const kept = await withoutTwins(placed, isSame, notes);
  const checkpoints = kept.map((each) =>
    each.path === twin && last !== undefined ? { ...each, twins: [...each.twins, last.path] } : each,
  );
  return { checkpoints, unit, notes };
}

/** @throws UsageError where names or headers say two trainings: their files would be compared as if one came of the other */
function checkOneTraining(found: readonly Placed[]): void {
  const first = found.find(({ training }) => training !== undefined);
  const other = found.find(({ training }) => training !== undefined && training !== first?.training);
  if (first?.training === undefined || other?.training === undefined) return;
  throw new UsageError(
    say`${setting("checkpoints", other.path)}: of a training called ${other.training}, and ${basename(first.path)} of one called ${first.training}; name the files of one training, such as ${first.training}-*.safetensors`,
  );
}

/** Where the last one stands: where it was judged as long as nothing has come behind it, else a stride behind all that is known. */
function placeOfLast(
  { path, hint }: Place,
  placed: readonly Pick<Ordered, "step">[],
  before: ReadonlyMap<string, number>,
): number {
  const others = [...before].filter(([file]) => file !== path).map(([, step]) => step);
  const steps = [...new Set([0, ...placed.map(({ step }) => step), ...others])].sort((a, b) => a - b);
  const [largest = 0, second = 0] = steps.reverse();
  const formerly = before.get(path);
  if (formerly !== undefined && formerly > largest) return formerly;
  if (hint !== undefined && hint > largest) return hint;
  return largest + Math.max(1, largest - second);
}

function unordered(path: string, other: string): UsageError {
  return new UsageError(
    say`${setting("checkpoints", path)}: its name and header do not say which step it is of, and so it cannot be put in order with ${basename(other)}; name the files of one training, such as dog-*.safetensors`,
  );
}

function again(path: string, before: string): string {
  return `${basename(path)} is ${basename(before)} again`;
}

/** One of each step. */
async function withoutTwins(
  placed: readonly Omit<Ordered, "twins">[],
  isSame: OrderOptions["isSame"],
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
      kept.push({ ...each, twins: [] });
      continue;
    }
    if (!(await isSame(before.path, each.path)))
      throw new UsageError(
        say`${setting("checkpoints", each.path)}: of the same step as ${before.path} (${each.step}), and another model; name the files of one training, such as dog-*.safetensors`,
      );
    kept[kept.length - 1] = { ...before, twins: [...before.twins, each.path] };
    notes.push(again(each.path, before.path));
  }
  return kept;
}

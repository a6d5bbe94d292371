import { join } from "node:path";
import type { CheckpointName, Unit } from "./names.ts";

/** What names and headers together say of where in their training files are. */

/** What is known of a checkpoint's place in its training. */
export interface Placed {
  readonly path: string;
  readonly name: CheckpointName;
  /** What its training is called, where its header or a trainer's name for it says so. */
  readonly training?: string | undefined;
  /** What its header says, where it says something. */
  readonly header: { readonly step?: number | undefined; readonly epoch?: number | undefined };
}

export interface Place {
  readonly path: string;
  /** In the unit of all; undefined where nothing says it. */
  readonly step: number | undefined;
  /** Whether nothing says anything, as of the file that trainers write last. */
  readonly isBare: boolean;
  /** A number of its name that may be one of steps, and may be something else. */
  readonly hint?: number | undefined;
}

/**
 * Each file's step by, in this order: a name whose number is explained (a trainer's way to write it, or a word beside it), the header, a plain
 * number at the name's end. Where not all files that say anything say steps, and all say epochs, epochs stand for steps.
 */
export function placesOf(found: readonly Placed[]): { readonly unit: Unit; readonly places: readonly Place[] } {
  const known = found.map((each) => ({ each, ...whatItSays(each, found) }));
  const said = known.filter(({ isBare }) => !isBare);
  const isEpochs = said.every(({ epoch }) => epoch !== undefined) && said.some(({ step }) => step === undefined);
  const unit = isEpochs ? "epoch" : "step";
  const places = known.map(({ each: { path }, isBare, hint, ...values }) => ({
    path,
    isBare,
    hint,
    step: values[unit],
  }));
  return { unit, places };
}

/**
 * What each file says of itself, by either count; what is only guessed, such as the step of the last, is none. One that was saved after steps
 * says an epoch that it may be in the middle of: by epochs it is of none.
 */
export function saidBy(found: readonly Placed[]): ReadonlyMap<string, Readonly<Record<Unit, number | undefined>>> {
  return new Map(
    found.map((each) => {
      const { step, epoch } = whatItSays(each, found);
      const isOfStep = each.name.isSure && each.name.count?.unit === "step";
      return [each.path, { step, epoch: isOfStep ? undefined : epoch }];
    }),
  );
}

type Said = Pick<Place, "isBare" | "hint"> & Readonly<Record<Unit, number | undefined>>;

function whatItSays(each: Placed, found: readonly Placed[]): Said {
  const { name, header } = each;
  const hasHeader = header.step !== undefined || header.epoch !== undefined;
  const count = isTrainings(each, found) ? undefined : name.count;
  const named = (unit: Unit) => (name.isSure && count?.unit === unit ? count.value : undefined);
  const [step, epoch] = [named("step") ?? header.step, named("epoch") ?? header.epoch];
  if (name.isSure || count === undefined || hasHeader)
    return { step, epoch, isBare: !hasHeader && count === undefined };
  return isCounted(each, found)
    ? { step: count.value, epoch, isBare: false }
    : { step, epoch, isBare: true, hint: count.value };
}

/** Whether a name with its number is that of the training: others' names go on behind it, or lie in the folder that it is of. */
function isTrainings({ path, name: { whole } }: Placed, found: readonly Placed[]): boolean {
  return found.some(
    (other) =>
      other.path !== path &&
      (other.path.startsWith(join(path, "/")) || (other.name.count !== undefined && other.name.stem === whole)),
  );
}

/** Whether a plain number counts: another file has the same name with another plain number, or without any. */
function isCounted({ path, name: { stem, count } }: Placed, found: readonly Placed[]): boolean {
  return found.some(
    ({ path: other, name }) =>
      other !== path &&
      name.stem === stem &&
      (name.count === undefined || (!name.isSure && name.count.value !== count?.value)),
  );
}

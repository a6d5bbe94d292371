import { isIntact } from "../tensor/safetensors-seal.ts";
import type { AnchorsEvent, RoundEvent, RunControl, RunEvent, StepEvent, ValidationEvent } from "./events.ts";
import { pictureHashes } from "./pictures.ts";
import { readEvents } from "./folder.ts";
import { checkSaved } from "./saved.ts";
import { damagedState, isSealed, openState, type SavedState } from "./state.ts";

/** What a run that goes on has done, up to its saved state: what it did after that is done again. */
export interface ResumePoint extends SavedState {
  readonly events: readonly RunEvent[];
  readonly validations: readonly ValidationEvent[];
  /** What the run measured of its photos; runs of earlier versions did not. */
  readonly anchors?: AnchorsEvent | undefined;
  readonly rounds: readonly RoundEvent[];
  /** The starting model's pictures in the log, by their paths. */
  readonly startingPictures: ReadonlySet<string>;
  /** The steps that it took. */
  readonly steps: readonly StepEvent[];
  /** SHA-256 of its pictures, by their paths. */
  readonly pictures: ReadonlyMap<string, string>;
}

/** Bytes between two reports of progress. */
const REPORT_EVERY = 256 * 2 ** 20;

/**
 * What a run goes on from, all of it what was saved.
 * @returns undefined before the first state was saved
 * @throws ModelError, UsageError naming the file that is damaged, and what there is to go back to
 */
export async function readResumePoint(
  run: string,
  control: Pick<RunControl, "emit">,
): Promise<ResumePoint | undefined> {
  const state = await openState(run);
  if (state === undefined) return undefined;
  const { file, progress } = state;
  // of a finished one nothing but its progress is of use
  if (
    !progress.finished &&
    !(await isIntact(file, { required: isSealed(progress), onBytes: reporter(file.size, control) }))
  )
    throw await damagedState(run, `${file.path}: damaged: its content is not what was saved`);
  const events = await readEvents(run, progress.eventsLength);
  await checkSaved(run, progress);
  return resumePointOf(state, events);
}

/** What the events of a run up to a state say of it. */
export function resumePointOf({ file, progress }: SavedState, events: readonly RunEvent[]): ResumePoint {
  return {
    file,
    progress,
    events,
    validations: events.filter((event) => event.type === "validation"),
    anchors: events.find((event) => event.type === "anchors"),
    rounds: events.filter((event) => event.type === "round"),
    steps: events.filter((event) => event.type === "step"),
    startingPictures: new Set(events.flatMap((event) => (event.type === "starting-picture" ? [event.image] : []))),
    pictures: pictureHashes(events),
  };
}

/** Large states take seconds to check. */
function reporter(total: number, control: Pick<RunControl, "emit">): (count: number) => void {
  let done = 0;
  let reported = 0;
  return (count) => {
    done += count;
    if (done - reported < REPORT_EVERY) return;
    reported = done;
    control.emit({ type: "progress", phase: "checking", done, total });
  };
}

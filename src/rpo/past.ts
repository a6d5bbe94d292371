import type { ValidationEvent } from "./events.ts";
import { readEvents } from "./run-folder.ts";
import { readProgress, type Progress } from "./state.ts";

/** What a run that goes on has done, up to its saved state: what it did after that is done again. */
export interface Past {
  readonly progress: Progress;
  readonly validations: readonly ValidationEvent[];
}

/** @returns undefined before the first state was saved @throws ModelError, UsageError when the state or the log is damaged */
export async function readPast(run: string): Promise<Past | undefined> {
  const progress = await readProgress(run);
  if (progress === undefined) return undefined;
  const events = await readEvents(run, progress.eventsLength);
  return { progress, validations: events.filter((event) => event.type === "validation") };
}

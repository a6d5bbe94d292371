import { join } from "node:path";
import { UsageError } from "../system/errors.ts";
import { configHashes } from "./config.ts";
import { CONFIG_FILE, EVENTS_FILE, hashOfLog } from "./folder.ts";
import { readProgress, type Progress } from "./state.ts";

/**
 * What in a run's folder is no longer what its saved state knows: the part of the log that belongs to it, or the settings.
 * @returns undefined where all is well, "unknown" for states of earlier versions, which do not know
 */
export async function changedSince(
  run: string,
  { eventsLength, eventsHash, configHash: settingsHash }: Progress,
): Promise<string | undefined> {
  if (eventsHash === undefined || settingsHash === undefined) return "unknown";
  if ((await hashOfLog(run, eventsLength)) !== eventsHash)
    return `${join(run, EVENTS_FILE)}: its first ${eventsLength} bytes are not those of when the run was saved`;
  // the settings of a run that was given more steps are those of its state until the next one is saved
  if (!(await configHashes(run)).includes(settingsHash))
    return `${join(run, CONFIG_FILE)}: its settings are not those of when the run was saved`;
  return undefined;
}

/** Checks a run's log and settings against its state, where it has one that knows. @throws UsageError naming the file that has changed */
export async function checkSaved(run: string, progress?: Progress): Promise<void> {
  // a damaged state is reported by whoever needs it
  const known = progress ?? (await readProgress(run).catch(() => undefined));
  const problem = known === undefined ? undefined : await changedSince(run, known);
  if (problem !== undefined && problem !== "unknown")
    throw new UsageError(`${problem}; put the file back, or start a new run`);
}

import { readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder, syncFolder } from "../tensor/files.ts";
import type { Trainer } from "./trainer.ts";
import type { RunControl, RunEvent, ValidationEvent } from "./events.ts";
import { checkpointPath, openEventLog, type EventLog } from "./run-folder.ts";
import { bestStep, keptSteps, writeBest } from "./selection.ts";
import type { TrainSettings } from "./settings.ts";
import type { Past } from "./past.ts";
import { saveState } from "./state.ts";

/** Writes a trained model's folder. */
export type CheckpointWriter = (folder: string) => Promise<void>;

/** Everything that a run writes: events, checkpoints, its state and its choice, in an order that a crash at any instant leaves consistent. */
export interface Recorder {
  readonly validations: readonly ValidationEvent[];
  /** Appends to the log and tells the listener. */
  record(event: RunEvent): Promise<void>;
  /** Records a validation with its checkpoint, and the choice where it is the best so far. */
  recordValidation(event: ValidationEvent): Promise<void>;
  /** Saves where the run stands. */
  save(step: number, finished?: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface RecorderOptions {
  readonly settings: TrainSettings;
  /** Where a run that goes on stands. */
  readonly past: Past | undefined;
  readonly control: RunControl;
  readonly trainer: Trainer;
  readonly writeCheckpoint: CheckpointWriter;
}

export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const { settings, past, control, trainer, writeCheckpoint } = options;
  const run = settings.output;
  const validations = [...(past?.validations ?? [])];
  /** Writes best.json for the run's own lambda. */
  const choose = async (): Promise<void> => {
    const best = bestStep(validations, settings.lambda);
    if (best !== undefined) await writeBest(run, { lambda: settings.lambda, ...best });
  };
  if (past !== undefined) await choose();
  const log: EventLog = await openEventLog(run, past?.progress.eventsLength ?? 0);

  const record = async (event: RunEvent): Promise<void> => {
    await log.append(event);
    control.emit(event);
  };
  const saving = async (write: () => Promise<void>): Promise<void> => {
    control.emit({ type: "progress", phase: "saving", done: 0, total: 1 });
    await write();
    control.emit({ type: "progress", phase: "saving", done: 1, total: 1 });
  };
  return {
    validations,
    record,
    async recordValidation(event) {
      if (event.step > 0) await saving(() => replaceFolder(join(run, checkpointPath(event.step)), writeCheckpoint));
      await record(event);
      validations.push(event);
      if (bestStep(validations, settings.lambda)?.step !== event.step) return;
      await record({ type: "best", step: event.step, reward: event.reward });
      await choose();
    },
    async save(step, finished = false) {
      // Before the state, so that no crash leaves a finished run with what somebody selected while it was not finished.
      if (finished) await choose();
      await saving(async () => saveState(run, trainer.optimizer, { step, eventsLength: await log.sync(), finished }));
      // Only now: were they removed earlier, a crash could leave a state whose best checkpoint is gone.
      if (settings.adapter === "full") await removeOthers(run, keptSteps(validations, settings));
    },
    close: () => log.close(),
  };
}

/** Writes a folder under a temporary name and puts it in place whole. */
async function replaceFolder(folder: string, write: CheckpointWriter): Promise<void> {
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await makeFolder(temporary);
  await write(temporary);
  await rm(folder, { recursive: true, force: true });
  await rename(temporary, folder);
  await syncFolder(dirname(folder));
}

async function removeOthers(run: string, kept: ReadonlySet<number>): Promise<void> {
  const folder = join(run, "checkpoints");
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (!kept.has(Number(name))) await rm(join(folder, name), { recursive: true, force: true });
}

import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../tensor/files.ts";
import type { Trainer } from "./trainer.ts";
import type { RunControl, RunEvent, ValidationEvent } from "./events.ts";
import { checkpointPath, openEventLog, readEvents, type EventLog } from "./run-folder.ts";
import { bestStep, keptSteps, writeBest } from "./selection.ts";
import type { TrainSettings } from "./settings.ts";
import { saveState, type Progress } from "./state.ts";

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

export async function openRecorder(
  settings: TrainSettings,
  progress: Progress | undefined,
  control: RunControl,
  trainer: Trainer,
  writeCheckpoint: CheckpointWriter,
): Promise<Recorder> {
  const run = settings.output;
  const log: EventLog = await openEventLog(run, progress?.eventsLength ?? 0);
  const validations = (await readEvents(run)).filter((event) => event.type === "validation");

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
      if (bestStep(validations, settings.lambda).step !== event.step) return;
      await record({ type: "best", step: event.step, reward: event.reward });
      await writeBest(run, {
        lambda: settings.lambda,
        step: event.step,
        reward: event.reward,
        checkpoint: event.step === 0 ? null : checkpointPath(event.step),
      });
    },
    async save(step, finished = false) {
      await saving(async () => saveState(run, trainer.optimizer, { step, eventsLength: await log.sync(), finished }));
      // Only now: were they removed earlier, a crash could leave a state whose best checkpoint is gone.
      if (settings.adapter === "full") await removeOthers(run, keptSteps(validations, settings.lambda));
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
}

async function removeOthers(run: string, kept: ReadonlySet<number>): Promise<void> {
  const folder = join(run, "checkpoints");
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (!kept.has(Number(name))) await rm(join(folder, name), { recursive: true, force: true });
}

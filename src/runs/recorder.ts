import { putCheckpoint, removeCheckpoint, type CheckpointWriter } from "./checkpoints.ts";
import { bestStep, choiceAt, keptSteps } from "../reward/choice.ts";
import type { RewardScale } from "../reward/scale.ts";
import type { OptimizerState } from "../nn/kept-state.ts";
import type { AnchorsEvent, RunControl, RunEvent, ValidationEvent } from "./events.ts";
import { configHash, readRunConfig } from "./config.ts";
import { openEventLog, type EventLog } from "./folder.ts";
import { writeBest } from "./best.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { ResumePoint } from "./resume-point.ts";
import { scaleOf } from "./scale.ts";
import { saveState } from "./state.ts";

/** Everything that a run writes: events, checkpoints, its state and its choice, in an order that a crash at any instant leaves consistent. */
export interface Recorder {
  readonly validations: readonly ValidationEvent[];
  /** What the run has measured of its photos. */
  readonly anchors: AnchorsEvent | undefined;
  /** How it judges. */
  readonly scale: RewardScale;
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
  readonly resumePoint: ResumePoint | undefined;
  readonly control: RunControl;
  readonly trainer: { readonly optimizer: OptimizerState };
  readonly writeCheckpoint: CheckpointWriter;
}

export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const { settings, resumePoint, control, trainer, writeCheckpoint } = options;
  const run = settings.output;
  const validations = [...(resumePoint?.validations ?? [])];
  let anchors = resumePoint?.anchors;
  const scale = (): RewardScale => scaleOf(settings.rewardForm, anchors, validations);
  /** Writes best.json for the run's own lambda. */
  const choose = async (): Promise<void> => {
    const chosen = choiceAt(validations, settings.lambda, scale());
    if (chosen !== undefined) await writeBest(run, chosen);
  };
  if (resumePoint !== undefined) await choose();
  const config = await configHash(run);
  const { version } = await readRunConfig(run);
  const log: EventLog = await openEventLog(run, resumePoint?.progress.eventsLength ?? 0, version);

  const record = async (event: RunEvent): Promise<void> => {
    if (event.type === "anchors") {
      // its readers know no such event
      if (version === 1) return;
      anchors = event;
    }
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
    get anchors() {
      return anchors;
    },
    get scale() {
      return scale();
    },
    record,
    async recordValidation(event) {
      if (event.step > 0) await saving(() => putCheckpoint(run, event.step, writeCheckpoint));
      await record(event);
      validations.push(event);
      if (bestStep(validations, settings.lambda, scale())?.step !== event.step) return;
      await record({ type: "best", step: event.step, reward: event.reward });
      await choose();
    },
    async save(step, finished = false) {
      // Before the state, so that no crash leaves a finished run with what somebody selected while it was not finished.
      if (finished) await choose();
      const { length, hash } = await log.sync();
      const { lossScale, distance } = trainer.optimizer;
      const progress = {
        step,
        eventsLength: length,
        finished,
        lossScale,
        distance,
        eventsHash: hash,
        configHash: config,
      };
      await saving(() => saveState(run, trainer.optimizer, progress, { keepPrevious: settings.adapter === "lora" }));
      // Only now: were they removed earlier, a crash could leave a state whose best checkpoint is gone.
      if (settings.adapter === "full") {
        const kept = keptSteps(validations, settings, scale());
        for (const each of validations)
          if (each.step > 0 && !kept.has(each.step)) await removeCheckpoint(run, each.step);
      }
    },
    close: () => log.close(),
  };
}

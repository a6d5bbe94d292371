import type { Scorer } from "../../reward/scorer.ts";
import { startRun } from "../../runs/config.ts";
import type { AnchorsEvent, RunControl, ScoredImage } from "../../runs/events.ts";
import { removeValidationPictures } from "../../runs/pictures.ts";
import { UsageError } from "../../system/errors.ts";
import type { Prepared } from "../begin.ts";
import type { JudgedLog } from "../judged-log.ts";
import type { JudgeTask } from "../task.ts";
import { pause, PATIENCE } from "../waiting.ts";
import type { SampleSets } from "./find.ts";
import type { Link } from "./link.ts";
import type { SampleSource } from "./source.ts";
import { createStepJudge, type Judgeable } from "./steps.ts";

/** All that a trainer's own pictures are judged with. */
export interface SampleContext extends Prepared {
  readonly scorer: Scorer;
  /** As of the first look; later ones may find more. */
  readonly first: Judgeable;
}

export interface Scoring {
  readonly log: JudgedLog;
  readonly source: SampleSource;
  readonly link: Link;
  readonly warn: (text: string) => void;
  readonly control: RunControl;
  /** Looks up prompts. @throws UsageError where nothing says one */
  readonly open: (found: SampleSets) => Promise<Judgeable>;
  readonly measure: (now: Judgeable) => Promise<AnchorsEvent | undefined>;
}

/** Judges the steps that are there, and those that come, until there is no more or it is asked to stop. @returns how many */
export async function scoreAll(
  { judging, watch, patience = PATIENCE }: JudgeTask,
  { first, scorer, provenance }: SampleContext,
  { log, source, link, warn, control, open, measure }: Scoring,
): Promise<number> {
  const steps = createStepJudge({ log, source, scorer, control });
  let now = first;

  /** Takes what there is; where the trainer has come to draw other prompts, every step is judged anew. */
  const adopt = async (found: SampleSets): Promise<void> => {
    const isKnown = JSON.stringify([found.prompts, found.each]) === JSON.stringify([now.found.prompts, now.found.each]);
    now = isKnown ? { ...now, found } : await open(found);
    if (log.validations.every(({ images }) => isOf(images, now))) return;
    warn(`the trainer draws other prompts than before (${found.prompts.length} of them): every step is judged anew`);
    for (const { step } of log.validations) await removeValidationPictures(now.settings.output, step);
    const { start } = log;
    log.clear();
    await startRun(now.settings, provenance, judging);
    steps.forget();
    if (start !== undefined) await log.begin(start, await measure(now));
  };

  /** A look, and what can be judged by it. */
  const look = async (): Promise<boolean | "changing"> => {
    try {
      await adopt((await source.look()) ?? now.found);
    } catch (error) {
      if (!(watch && error instanceof UsageError)) throw error;
      warn(`${error.message}; nothing more is judged until that is put right`);
      return "changing";
    }
    const did = await steps.next(now);
    await link(log, now.found);
    return did;
  };

  let count = 0;
  for (let isWaiting = false; !control.signal.aborted;) {
    const did = await look();
    if (did === true) {
      count++;
      isWaiting = false;
      continue;
    }
    if (did === false && !watch) {
      for (const { step } of now.found.partial) warn(`passed over: step ${step}, of which some pictures are missing`);
      break;
    }
    if (!isWaiting) control.emit({ type: "progress", phase: "waiting", done: 0, total: 1 });
    isWaiting = true;
    await pause(patience.lookMs, control.signal);
  }
  return count;
}

/** Whether a validation's pictures are of these prompts. */
function isOf(images: readonly ScoredImage[], { prompts, found: { each } }: Judgeable): boolean {
  const texts = prompts.flatMap(({ rewardText, text }) => Array.from({ length: each }, () => `${rewardText}\n${text}`));
  return images.map(({ prompt, text = "" }) => `${prompt}\n${text}`).join("\0") === texts.join("\0");
}

import { join } from "node:path";
import { writeBest } from "../runs/best.ts";
import type { AnchorsEvent, RunEvent, StopReason, ValidationEvent } from "../runs/events.ts";
import { EVENTS_FILE, validationImagePath } from "../runs/folder.ts";
import { goneFiles } from "../runs/judged.ts";
import { scaleOf } from "../runs/scale.ts";
import { bestStep, choiceAt, type Chosen } from "../reward/choice.ts";
import type { RewardScale } from "../reward/scale.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { writeFileAtomic } from "../system/files.ts";

type StartEvent = Extract<RunEvent, { readonly type: "start" }>;

/**
 * The log of a run that judges. It is a function of what has been judged, in the order of the steps, whatever the order in which the files
 * came; it is written whole, so that a kill at any instant leaves the old one or the new one.
 */
export interface JudgedLog {
  /** In the order of their steps. */
  readonly validations: readonly ValidationEvent[];
  readonly anchors: AnchorsEvent | undefined;
  readonly scale: RewardScale;
  /** Its first line, once that is written. */
  readonly start: StartEvent | undefined;
  /** Whether its first line is written. */
  readonly isBegun: boolean;
  /** What is best for the run's own lambda so far. */
  readonly best: Chosen | undefined;
  /** Likeness of the two photos that are most like each other. */
  readonly closestI: number | undefined;
  /** @param anchors absent where nothing was drawn by a starting model, from which the calibrated reward measures */
  begin(start: StartEvent, anchors: AnchorsEvent | undefined): Promise<void>;
  /** Takes a validation, in the place of an earlier one of its step. @returns whether it is the best of all so far */
  put(validation: ValidationEvent): Promise<boolean>;
  /** Forgets a step that is to be judged again, in the file too: what it was judged by may change from then on. */
  drop(step: number): Promise<void>;
  /** Gives what was judged other steps, and its pictures the names of these. @param moves from, to */
  renumber(moves: ReadonlyMap<number, number>): Promise<void>;
  /** Forgets all that was judged: it was not what there is to judge by now. */
  clear(): void;
  end(reason: StopReason): Promise<void>;
}

/** @param before the events of a run that goes on */
export function openJudgedLog(
  { output: run, lambda, rewardForm }: Pick<TrainSettings, "output" | "lambda" | "rewardForm">,
  before: readonly RunEvent[],
): JudgedLog {
  let start = before.find((event) => event.type === "start");
  let anchors = before.find((event) => event.type === "anchors");
  let validations = before.filter((event) => event.type === "validation").map(inOrder);
  const scale = () => scaleOf(rewardForm, anchors, validations);
  const write = async (last: readonly RunEvent[] = []): Promise<void> => {
    const events: RunEvent[] = [start, anchors].filter((event) => event !== undefined);
    for (const [i, validation] of validations.entries()) {
      events.push(validation);
      const { step, reward } = validation;
      if (bestStep(validations.slice(0, i + 1), lambda, scale())?.step === step)
        events.push({ type: "best", step, reward });
    }
    const lines = [...events, ...last].map((event) => `${JSON.stringify(event)}\n`);
    await writeFileAtomic(join(run, EVENTS_FILE), lines.join(""));
  };
  /** Writes which to draw with, of those that are there. @returns the best of all */
  const choose = async (): Promise<Chosen | undefined> => {
    const gone = await goneFiles(run, stepsOf(validations));
    const there = validations.filter(({ step }) => !gone.has(step));
    const chosen = choiceAt(there, lambda, scale());
    if (chosen !== undefined) await writeBest(run, chosen);
    return choiceAt(validations, lambda, scale());
  };
  return {
    get validations() {
      return validations;
    },
    get anchors() {
      return anchors;
    },
    get closestI() {
      return start?.closestI;
    },
    get start() {
      return start;
    },
    get isBegun() {
      return start !== undefined;
    },
    get scale() {
      return scale();
    },
    get best() {
      return choiceAt(validations, lambda, scale());
    },
    async begin(first, measured) {
      [start, anchors] = [first, measured];
      await write();
    },
    async put(validation) {
      validations = [...validations.filter(({ step }) => step !== validation.step), inOrder(validation)].sort(
        (a, b) => a.step - b.step,
      );
      await write();
      return (await choose())?.step === validation.step;
    },
    async drop(step) {
      const others = validations.filter((each) => each.step !== step);
      if (others.length === validations.length) return;
      validations = others;
      await write();
      await choose();
    },
    async renumber(moves) {
      validations = validations.map((each) => renumbered(each, moves.get(each.step))).sort((a, b) => a.step - b.step);
      await write();
      await choose();
    },
    clear() {
      [start, anchors, validations] = [undefined, undefined, []];
    },
    async end(reason) {
      await write([{ type: "stop", step: validations.at(-1)?.step ?? 0, reason }]);
      await choose();
    },
  };
}

function stepsOf(validations: readonly ValidationEvent[]): number[] {
  return validations.map(({ step }) => step);
}

function renumbered(validation: ValidationEvent, step = validation.step): ValidationEvent {
  const images = validation.images.map((each) => ({
    ...each,
    image: validationImagePath(step, each.promptIndex, each.index),
  }));
  return { ...validation, step, images };
}

/** With its pictures' fields as logs have them, whether they come from a log or were made just now. */
function inOrder({ images, ...validation }: ValidationEvent): ValidationEvent {
  return {
    ...validation,
    images: images.map(({ image, sha256, alignI, alignT, nearestI, ...picture }) => ({
      ...picture,
      ...{ alignI, alignT, nearestI, image, sha256 },
    })),
  };
}

import type {
  RoundEvent,
  RunEvent,
  StartingPictureEvent,
  StepEvent,
  StopReason,
  ValidationEvent,
} from "../runs/events.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { choices } from "../reward/choice.ts";
import type { RewardScale } from "../reward/scale.ts";
import { shownPrompt } from "../runs/shown-prompt.ts";
import { scaleOfLog } from "../runs/scale.ts";

/** What a report shows of a run, derived from its settings and events alone; pictures are names, which `read.ts` fills in. */
export interface RunReport {
  readonly settings: TrainSettings;
  readonly status: Status;
  readonly steps: readonly StepEvent[];
  readonly startingPictures: readonly StartingPictureReport[];
  /** The pictures that the model drew to train with, round by round. */
  readonly rounds: readonly RoundEvent[];
  readonly validations: readonly ValidationReport[];
  /** How the run judges them. */
  readonly scale: RewardScale;
  /** The validation's prompts in their order. */
  readonly prompts: readonly string[];
  /** Pictures of each prompt. */
  readonly noises: number;
  /** Steps whose pictures are shown, where there are too many to show all: those that some lambda chooses are among them. */
  readonly shown: readonly number[];
  readonly seconds: { readonly total: number; readonly perStep: number };
}

export type Status =
  | { readonly kind: StopReason; readonly step: number }
  | { readonly kind: "running"; readonly step: number }
  | { readonly kind: "error"; readonly step: number; readonly message: string };

/** A picture of the starting model that the method trained with. */
export interface StartingPictureReport extends StartingPictureEvent {
  /** How many steps used it so far; undefined where the run does not tell which steps did. */
  readonly uses: number | undefined;
  /** The labels of those steps, where the method has labels. */
  readonly labels: readonly number[];
}

export type ValidationReport = Pick<ValidationEvent, "step" | "extra" | "images">;

/** The most validations whose pictures are shown. */
const MOST_SHOWN = 12;

/**
 * A report of the events so far, whether or not the run goes on.
 * @param run its folder, for messages
 * @throws UsageError when its settings and events contradict each other
 */
export function reportOf(settings: TrainSettings, events: readonly RunEvent[], run: string): RunReport {
  const steps = events.filter((event) => event.type === "step");
  const validations = events.filter((event) => event.type === "validation");
  const first = validations.at(0)?.images ?? [];
  // by place, for two prompts may say the same to the reward: "a [V] dog" and "a dog"
  const noises = settings.validationImages;
  if (first.length % noises !== 0 || first.some(({ prompt }, i) => prompt !== first[i - (i % noises)].prompt))
    throw new UsageError(
      `${run}: a validation in its events.jsonl has ${first.length} pictures, expected ${noises} of each prompt (validationImages in its config.json)`,
    );
  const scale = scaleOfLog(settings.rewardForm, events);
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  return {
    settings,
    status: statusOf(events),
    steps,
    startingPictures: startingPicturesOf(events, steps),
    rounds: events.filter((event) => event.type === "round"),
    validations,
    scale,
    prompts: first.flatMap((picture, i) => (i % noises === 0 ? [shownPrompt(picture)] : [])),
    noises,
    shown: shownSteps(validations, scale),
    seconds: { total: seconds, perStep: steps.length === 0 ? 0 : seconds / steps.length },
  };
}

function statusOf(events: readonly RunEvent[]): Status {
  let step = 0;
  for (const event of events) if ("step" in event) step = event.step;
  const last = events.at(-1);
  if (last?.type === "stop") return { kind: last.reason, step };
  if (last?.type === "error") return { kind: "error", step, message: last.message };
  return { kind: "running", step };
}

/** The starting model's pictures with what the steps say that used them. */
function startingPicturesOf(events: readonly RunEvent[], steps: readonly StepEvent[]): StartingPictureReport[] {
  const drawn = events.filter((event) => event.type === "starting-picture");
  const users = new Map<string, StepEvent[]>();
  for (const step of steps) {
    const { startingPicture, startingPictures = startingPicture === undefined ? [] : [startingPicture] } = step;
    for (const picture of startingPictures) {
      const list = users.get(picture) ?? [];
      list.push(step);
      users.set(picture, list);
    }
  }
  const isKnown = steps.length === 0 || users.size > 0;
  return drawn.map((picture) => {
    const used = users.get(picture.image) ?? [];
    // of a step with several pairs the label is a mean, and no pair's
    const labels = used.flatMap(({ curves, startingPictures }) =>
      "label" in curves && startingPictures === undefined ? [curves["label"]] : [],
    );
    return { ...picture, uses: isKnown ? used.length : undefined, labels };
  });
}

/** At most {@link MOST_SHOWN} steps, spread evenly, but every one that some lambda chooses, the first and the last. */
function shownSteps(validations: readonly ValidationReport[], scale: RewardScale): number[] {
  const all = validations.map(({ step }) => step);
  if (all.length <= MOST_SHOWN) return all;
  const shown = new Set([all[0], all[all.length - 1], ...choices(validations, scale).map(({ step }) => step)]);
  const free = Math.max(0, MOST_SHOWN - shown.size);
  for (let i = 1; i <= free; i++) shown.add(all[Math.round((i * (all.length - 1)) / (free + 1))]);
  return all.filter((step) => shown.has(step));
}

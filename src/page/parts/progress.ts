import { endInWords } from "../../runs/end-words.ts";
import type { RunView } from "../../server/api.ts";

/** Where a run is, from its log alone, so that it can be said of a run that any process writes. */

export function phaseOf({ state, settings, facts }: RunView): string {
  const { type, step, detail } = state.last;
  if (!facts.live) return endOf(type, step, detail, settings.steps);
  if (facts.asked === "stop") return "stopping and saving";
  const rest =
    (facts.isValidationAsked ? "; validates out of turn" : "") +
    (facts.asked === "stop-after-validation" ? "; stops after the next validation" : "");
  if (state.validations.length === 0 && state.seconds.length === 0) {
    if (state.starting.length > 0)
      return `drawing the starting model's pictures: ${state.starting.length} so far${rest}`;
    return `preparing${rest}`;
  }
  if (isDue(step, settings) && state.validations.at(-1)?.step !== step) return `validating step ${step}${rest}`;
  return `training${rest}`;
}

function endOf(type: string, step: number, detail: string | undefined, steps: number): string {
  if (type === "error") return `failed at step ${step}: ${detail ?? ""}`;
  if (type !== "stop") return type === "nothing" ? "not begun" : `ended at step ${step} without a word; it can go on`;
  if (detail === "patience" || detail === "loss" || detail === "steps") return endInWords(detail, step, steps);
  return `stopped at step ${step}; it can go on`;
}

function isDue(step: number, { validateEvery, steps }: RunView["settings"]): boolean {
  return step % validateEvery === 0 || step === steps;
}

/** Steps, of late, whose seconds tell of the next ones. */
const RECENT = 50;

/** Seconds for the steps that are left, validations not counted; undefined before there is a step. */
export function timeLeft({ state, settings }: RunView): number | undefined {
  const recent = state.seconds.slice(-RECENT);
  if (recent.length === 0) return undefined;
  const mean = recent.reduce((sum, each) => sum + each, 0) / recent.length;
  return Math.max(0, settings.steps - state.last.step) * mean;
}

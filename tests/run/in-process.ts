import { join } from "node:path";
import type { CostEstimate, ExtraValidations, ProgressEvent, RunEvent } from "../../src/runs/events.ts";
import { TRAIN_DEFAULTS, type TrainRequest } from "../../src/settings/train-settings.ts";
import { trainByMethod } from "../../src/commands/train/run.ts";
import { MODEL, REWARD, temporaryFolder } from "./cli.ts";

/** Trainings of the tiny models in the test's own process. */

/** Few steps, so that the tests are fast. */
export async function shortRequest(
  images: string,
  { output, ...more }: Partial<TrainRequest> = {},
): Promise<TrainRequest> {
  return {
    ...TRAIN_DEFAULTS,
    model: MODEL,
    reward: REWARD,
    images,
    class: "dog",
    output: output ?? join(await temporaryFolder(), "run"),
    learningRate: 1e-3,
    steps: 4,
    validateEvery: 2,
    validationImages: 1,
    validationSteps: 2,
    negatives: 1,
    earlyStopping: false,
    threads: 1,
    ...more,
  };
}

export interface RunOptions {
  readonly resume?: boolean;
  /** Validations out of turn that it asks for. */
  readonly extra?: ExtraValidations;
  /** Stops as Ctrl-C does when it says so. */
  readonly until?: (event: RunEvent | ProgressEvent) => boolean;
}

/** Trains. @returns the result, with the estimate of what it would cost */
export async function runHere(request: TrainRequest, { resume = false, extra, until = () => false }: RunOptions = {}) {
  const abort = new AbortController();
  const estimates: CostEstimate[] = [];
  const result = await trainByMethod(
    request,
    { resume },
    {
      emit(event) {
        if (until(event)) abort.abort();
      },
      signal: abort.signal,
      extra,
      confirm: (estimate) => Promise.resolve(estimates.push(estimate) > 0),
    },
  );
  return { ...result, estimate: estimates.at(0) };
}

/** For {@link RunOptions.until}: after a step. */
export const atStep = (step: number) => (event: RunEvent | ProgressEvent) =>
  event.type === "step" && event.step === step;

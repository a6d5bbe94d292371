import { join } from "node:path";
import type { SessionOptions } from "../../runtime/session-options.ts";
import { UsageError } from "../../system/errors.ts";
import type { CourseOfCard } from "../card.ts";
import { readAverage, runCourse, type Course, type Weights } from "../loop.ts";
import { openPictures, type PictureSet } from "../pictures.ts";

export interface StageContext {
  /** States, logs and rendered pictures. */
  readonly work: string;
  /** Where finished models go. */
  readonly models: string;
  readonly session: SessionOptions;
  /** Instead of the recipe's steps, to try things out. */
  readonly steps: number | undefined;
  readonly shouldStop: () => boolean;
  readonly log: (line: string) => void;
  /** For results. */
  readonly print: (line: string) => void;
}

/** @returns whether the stage is done */
export type Stage = (context: StageContext) => Promise<boolean>;

export function stepsOf({ steps }: StageContext): { steps?: number } {
  return steps === undefined ? {} : { steps };
}

export async function pictures({ work, log }: StageContext, name: string, count: number): Promise<PictureSet> {
  return openPictures({ ...picturesIn({ work, log }), name, count });
}

/** Where rendered pictures are kept, and who is told. */
export function picturesIn({ work, log }: Pick<StageContext, "work" | "log">) {
  return {
    folder: join(work, "pictures"),
    onProgress(done: number, total: number) {
      if (done % 2048 === 0) log(`  rendered ${done} of ${total} pictures`);
    },
  };
}

/** What a model card shows of a course. */
export function course({ work }: StageContext, name: string, curves: readonly string[]): CourseOfCard {
  return { name, log: join(work, `${name}.jsonl`), curves };
}

export async function averageOf({ work }: StageContext, name: string): Promise<{ weights: Weights; step: number }> {
  const average = await readAverage(work, name);
  if (average === undefined) throw new UsageError(`${name} has not been trained in ${work}: run that stage first`);
  return average;
}

export async function train({ work, session, shouldStop, log }: StageContext, course: Course): Promise<boolean> {
  const { done } = await runCourse(course, {
    folder: work,
    session,
    shouldStop,
    onLog({ step, steps, secondsPerStep, values }) {
      const shown = Object.entries(values).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
      const left = ((steps - step) * secondsPerStep) / 60;
      log(
        `  ${step}/${steps}  ${shown.join("  ")}  ${(secondsPerStep * 1000).toFixed(0)} ms a step, ${left.toFixed(0)} min left`,
      );
    },
  });
  return done;
}

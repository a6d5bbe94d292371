import { join } from "node:path";
import type { SessionOptions } from "../../runtime/ort.ts";
import { autoencoderCourse } from "../../world/pretrain/autoencoder.ts";
import { runCourse, type Course } from "../../world/pretrain/loop.ts";
import { openPictures, type PictureSet } from "../../world/pretrain/pictures.ts";
import { VAE_RECIPE } from "../../world/pretrain/recipes.ts";

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
}

/** @returns whether the stage is done */
export type Stage = (context: StageContext) => Promise<boolean>;

/** In the order in which each needs those before it. */
export const stages = {
  vae: async (context) =>
    train(
      context,
      autoencoderCourse({ pictures: await pictures(context, "vae", VAE_RECIPE.pictures), ...stepsOf(context) }),
    ),
} satisfies Record<string, Stage>;

export type StageName = keyof typeof stages;

export function isStage(name: string): name is StageName {
  return Object.hasOwn(stages, name);
}

function stepsOf({ steps }: StageContext): { steps?: number } {
  return steps === undefined ? {} : { steps };
}

async function pictures({ work, log }: StageContext, name: string, count: number): Promise<PictureSet> {
  return openPictures({
    folder: join(work, "pictures"),
    name,
    count,
    onProgress: (done, total) => {
      if (done % 2048 === 0) log(`  rendered ${done} of ${total} pictures`);
    },
  });
}

async function train({ work, session, shouldStop, log }: StageContext, course: Course): Promise<boolean> {
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

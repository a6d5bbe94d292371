import { join } from "node:path";
import type { SessionOptions } from "../../runtime/ort.ts";
import { autoencoderCourse } from "../../world/pretrain/autoencoder.ts";
import { denoiserCourse } from "../../world/pretrain/denoiser.ts";
import { writeDiffusionFolder } from "../../world/pretrain/folder.ts";
import { openLatents, type Latents } from "../../world/pretrain/latents.ts";
import { readAverage, runCourse, type Course, type Weights } from "../../world/pretrain/loop.ts";
import { openPictures, type PictureSet } from "../../world/pretrain/pictures.ts";
import { TEXT_LENGTH, UNET_RECIPE, VAE_RECIPE } from "../../world/pretrain/recipes.ts";
import { specialIds, worldBytePairs, writeClipTokenizer } from "../../world/pretrain/tokenizer.ts";
import { UsageError } from "../../tensor/errors.ts";
import { loadClipTokenizer } from "../../text/clip.ts";

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
  sd: async (context) => {
    const set = await pictures(context, "sd", UNET_RECIPE.pictures);
    const latents = await latentsOf(context, set);
    if (latents === undefined) return false;
    const bytePairs = worldBytePairs();
    const folder = join(context.work, "tokenizer");
    await writeClipTokenizer(folder, bytePairs, TEXT_LENGTH);
    const tokenizer = await loadClipTokenizer(folder);
    const course = denoiserCourse({
      latents,
      caption: (index) => set.sample(index).caption,
      encode: (text) => tokenizer.encode(text).ids,
      textIds: specialIds(bytePairs),
      ...stepsOf(context),
    });
    return train(context, course);
  },
  "export-sd": async (context) => {
    const latents = await latentsOf(context, await pictures(context, "sd", UNET_RECIPE.pictures));
    if (latents === undefined) return false;
    await writeDiffusionFolder(join(context.models, "sd"), {
      vae: (await averageOf(context, "vae")).weights,
      denoiser: (await averageOf(context, "sd")).weights,
      scalingFactor: latents.scalingFactor,
      tokenizer: worldBytePairs(),
    });
    return true;
  },
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

async function averageOf({ work }: StageContext, name: string): Promise<{ weights: Weights; step: number }> {
  const average = await readAverage(work, name);
  if (average === undefined) throw new UsageError(`${name} has not been trained in ${work}: run that stage first`);
  return average;
}

/** Latents belong to the VAE's very state: its step is in the file's name. */
async function latentsOf(context: StageContext, set: PictureSet): Promise<Latents | undefined> {
  const { weights, step } = await averageOf(context, "vae");
  return openLatents({
    path: join(context.work, `latents-${step}.f32`),
    pictures: set,
    vae: weights,
    session: context.session,
    shouldStop: context.shouldStop,
    onProgress: (done, total) => {
      if (done % 8192 === 0) context.log(`  encoded ${done} of ${total} pictures`);
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

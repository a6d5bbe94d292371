import { createHash } from "node:crypto";
import { join } from "node:path";
import { exists } from "../../system/files.ts";
import { loadClipTokenizer } from "../../text/clip.ts";
import { autoencoderCourse } from "../autoencoder.ts";
import { denoiserCourse } from "../denoiser.ts";
import { writeCard } from "../card.ts";
import { SD_CARD } from "../card-sd.ts";
import { writeDiffusionFolder } from "../folder.ts";
import { examineAutoencoder } from "../judges/exams.ts";
import type { Figure } from "../judges/figures.ts";
import type { Weights } from "../loop.ts";
import { openLatents, type Latents } from "../latents.ts";
import type { PictureSet } from "../pictures.ts";
import { REFINE_RECIPE, TEXT_LENGTH, UNET_RECIPE, VAE_RECIPE } from "../recipes.ts";
import { specialIds, worldBytePairs, writeClipTokenizer } from "../tokenizer.ts";
import { check, drawings } from "./check.ts";
import { judgeStages } from "./judges.ts";
import { averageOf, course, pictures, stepsOf, train, type Stage, type StageContext } from "./stage.ts";

/** In the order in which each needs those before it. */
export const stages = {
  ...judgeStages,
  vae: async (context) => {
    const set = await pictures(context, "vae", VAE_RECIPE.pictures);
    return train(context, autoencoderCourse({ name: "vae", recipe: VAE_RECIPE, pictures: set, ...stepsOf(context) }));
  },
  refine: async (context) => {
    const set = await pictures(context, "sd", REFINE_RECIPE.pictures);
    const { weights } = await averageOf(context, "vae");
    return train(
      context,
      autoencoderCourse({
        name: "refine",
        recipe: REFINE_RECIPE,
        pictures: set,
        initial: weights,
        ...stepsOf(context),
      }),
    );
  },
  sd: async (context) => {
    const set = await pictures(context, "sd", UNET_RECIPE.pictures);
    const latents = await latentsOf(context, set);
    if (latents === undefined) return false;
    const bytePairs = worldBytePairs();
    const folder = join(context.work, "tokenizer");
    await writeClipTokenizer(folder, bytePairs, TEXT_LENGTH);
    const tokenizer = await loadClipTokenizer(folder);
    const denoiser = denoiserCourse({
      latents,
      caption: (index) => set.sample(index).caption,
      encode: (text) => tokenizer.encode(text).ids,
      textIds: specialIds(bytePairs),
      ...stepsOf(context),
    });
    return train(context, denoiser);
  },
  "export-sd": async (context) => {
    const latents = await latentsOf(context, await pictures(context, "sd", UNET_RECIPE.pictures));
    if (latents === undefined) return false;
    const folder = join(context.models, "sd");
    const { weights: vae } = await averageOf(context, "refine");
    const { weights: denoiser } = await averageOf(context, "sd");
    const { scalingFactor } = latents;
    await writeDiffusionFolder(folder, { vae, denoiser, scalingFactor, tokenizer: worldBytePairs() });
    await writeCard(folder, {
      ...SD_CARD,
      weights: new Map([...vae, ...denoiser]),
      figures: await figuresOf(context),
      courses: [course(context, "vae", ["loss"]), course(context, "refine", ["loss"]), course(context, "sd", ["loss"])],
    });
    return true;
  },
  check,
} satisfies Record<string, Stage>;

export type StageName = keyof typeof stages;

export function isStage(name: string): name is StageName {
  return Object.hasOwn(stages, name);
}

/** Of the folder just written; what its pictures show can be told once there is a judge. */
async function figuresOf(context: StageContext): Promise<Figure[]> {
  const autoencoder = await examineAutoencoder(join(context.models, "sd"), context.session);
  if (!(await exists(join(context.models, "clip")))) {
    context.log("  no clip among the models yet: what the pictures show is left out of the card");
    return autoencoder;
  }
  return [...autoencoder, ...(await drawings(context))];
}

/** Latents belong to the VAE's very weights, of which a hash is in the file's name. */
async function latentsOf(context: StageContext, set: PictureSet): Promise<Latents | undefined> {
  const { weights } = await averageOf(context, "refine");
  return openLatents({
    path: join(context.work, `latents-${hashOf(weights)}.f32`),
    pictures: set,
    vae: weights,
    session: context.session,
    shouldStop: context.shouldStop,
    onProgress: (done, total) => {
      if (done % 8192 === 0) context.log(`  encoded ${done} of ${total} pictures`);
    },
  });
}

function hashOf(weights: Weights): string {
  const hash = createHash("sha256");
  for (const [name, { data }] of weights) hash.update(name).update(data);
  return hash.digest("hex").slice(0, 16);
}

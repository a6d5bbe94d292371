import { float32 } from "../../tensor/tensor.ts";
import { dealer } from "../../training/draws.ts";
import type { Method } from "../../training/method.ts";
import { photoFeeds } from "../../training/photo-loss.ts";
import { drawTimestep, pictureFeeds, textFeeds } from "../../training/picture-feeds.ts";
import { isOwn, judgedPictures, lastRound, ownPictures, referenceFeeds, rememberedOf } from "../own-pictures.ts";
import { objective } from "./objective.ts";

const PAIR = ["better", "worse"] as const;

/** Diffusion-DPO (Wallace et al., CVPR 2024, arXiv 2311.12908) on the model's own pictures, which a reward of both alignments ranks. */
export const method: Method = {
  round: ownPictures,
  remembered: rememberedOf(PAIR),
  objective,
  async feeds(step, context, _starting, rounds) {
    const { settings, prompts, embedding } = context;
    const { photo, feeds, rng } = photoFeeds(step, context);
    const prompt = dealer(settings.seed, "round prompts", prompts.training.length)(step - 1);
    const ranked = await judgedPictures(context, rounds, prompt);
    const [better, worse] = [ranked[0], ranked[ranked.length - 1]];
    // what the reward cannot tell apart is no pair
    const isUsed = isOwn(rounds) && better.reward > worse.reward;
    const timestep = drawTimestep(context, rng.split("own timestep"));
    const round = lastRound(rounds);
    const feedsOf = (name: string, path: string) =>
      pictureFeeds(name, round.encoded(path), timestep, rng, context, "pair");
    return {
      photo,
      ...(isUsed && { roundPictures: [better.picture.image, worse.picture.image] }),
      values: { gap: better.reward - worse.reward },
      feeds: {
        ...feeds,
        ...feedsOf("better", better.picture.image),
        ...feedsOf("worse", worse.picture.image),
        ...textFeeds({ "own.prompt": embedding(prompts.training[prompt].text) }, settings.resolution),
        ...referenceFeeds(step, PAIR, settings, rounds),
        "own.timestep": float32([timestep]),
        "own.use": float32([isUsed ? 1 : 0]),
      },
    };
  },
};

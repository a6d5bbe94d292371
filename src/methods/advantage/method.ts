import { float32 } from "../../tensor/tensor.ts";
import type { Method } from "../../training/method.ts";
import { photoFeeds } from "../../training/photo-loss.ts";
import {
  isOwn,
  lastRound,
  ownPictures,
  pictureOfStep,
  referenceFeeds,
  rememberedOf,
  singleFeeds,
} from "../own-pictures.ts";
import { objective } from "./objective.ts";
import { advantageOf, weightsAt } from "./shaping.ts";

/** Advantages shaped as in Customized-GRPO (Huang et al., 2025, arXiv 2510.18263), as weights of the model's own pictures. */
export const method: Method = {
  round: ownPictures,
  remembered: rememberedOf(["error"]),
  objective,
  feeds(step, context, _starting, rounds) {
    const { settings, schedule } = context;
    const { photo, feeds, rng } = photoFeeds(step, context);
    const picture = pictureOfStep(step, context, rounds);
    const group = lastRound(rounds).images.filter(({ promptIndex }) => promptIndex === picture.promptIndex);
    const own = singleFeeds(picture, context, rounds, rng);
    const weights = weightsAt((own.timestep + 1) / schedule.numTrainTimesteps);
    const isUsed = isOwn(rounds);
    const advantage = isUsed ? advantageOf(picture, group, settings.synergy, weights) : 0;
    return {
      photo,
      ...(isUsed && { roundPictures: [picture.image] }),
      values: { advantage },
      feeds: {
        ...feeds,
        ...own.feeds,
        ...referenceFeeds(step, ["error"], settings, rounds),
        "own.advantage": float32([advantage]),
      },
    };
  },
};

import { float32 } from "../../tensor/tensor.ts";
import type { Method } from "../../training/method.ts";
import { photoFeeds } from "../../training/photo-loss.ts";
import {
  isOwn,
  judgedPictures,
  ownPictures,
  pictureOfStep,
  referenceFeeds,
  rememberedOf,
  singleFeeds,
} from "../own-pictures.ts";
import { objective } from "./objective.ts";

/** Diffusion-KTO (Li et al., NeurIPS 2024, arXiv 2404.04465) on the model's own pictures. */
export const method: Method = {
  round: ownPictures,
  remembered: rememberedOf(["error"]),
  objective,
  async feeds(step, context, _starting, rounds) {
    const { photo, feeds, rng } = photoFeeds(step, context);
    const picture = pictureOfStep(step, context, rounds);
    const ranked = await judgedPictures(context, rounds, picture.promptIndex);
    const place = ranked.findIndex((each) => each.picture === picture);
    const isLiked = place < ranked.length / 2;
    const isUsed = isOwn(rounds);
    return {
      photo,
      ...(isUsed && { roundPictures: [picture.image] }),
      values: { liked: isLiked ? 1 : 0 },
      feeds: {
        ...feeds,
        ...singleFeeds(picture, context, rounds, rng).feeds,
        ...referenceFeeds(step, ["error"], context.settings, rounds),
        "own.sign": float32([isLiked ? 1 : -1]),
        "own.use": float32([isUsed ? 1 : 0]),
      },
    };
  },
};

import type { Method } from "../../training/method.ts";
import { photoFeeds } from "../../training/photo-loss.ts";
import { classFeeds } from "../class-feeds.ts";
import { classPictures } from "../class-pictures.ts";
import { objective } from "./objective.ts";

/** DreamBooth (Ruiz et al., CVPR 2023, arXiv 2208.12242). */
export const method: Method = {
  startingPictures: classPictures,
  objective,
  feeds(step, context, pictures) {
    const { photo, feeds, rng } = photoFeeds(step, context);
    if (context.settings.priorWeight === 0) return { photo, feeds };
    const { startingPicture, feeds: ofClass } = classFeeds(step, context, pictures, rng);
    return { photo, startingPicture, feeds: { ...feeds, ...ofClass } };
  },
};

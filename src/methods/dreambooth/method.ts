import { startingPicturePath } from "../../runs/folder.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { Method } from "../../training/method.ts";
import { photoFeeds } from "../../training/photo-loss.ts";
import { drawTimestep, pictureFeeds, textFeeds } from "../../training/picture-feeds.ts";
import { classPictureDealer, classPictures } from "../class-pictures.ts";
import { objective } from "./objective.ts";

/** DreamBooth (Ruiz et al., CVPR 2023, arXiv 2208.12242). */
export const method: Method = {
  startingPictures: classPictures,
  objective,
  feeds(step, context, pictures) {
    const { settings, prompts, embedding } = context;
    const { photo, feeds, rng } = photoFeeds(step, context);
    if (settings.priorWeight === 0) return { photo, feeds };
    const startingPicture = startingPicturePath("class", 0, classPictureDealer(settings)(step));
    const drawn = pictures.get(startingPicture);
    if (drawn === undefined) throw new Error(`step ${step}: ${startingPicture} was not drawn`);
    const timestep = drawTimestep(context, rng.split("class timestep"));
    return {
      photo,
      startingPicture,
      feeds: {
        ...feeds,
        ...pictureFeeds("class", drawn.picture, timestep, rng, context),
        ...textFeeds({ "class.prompt": embedding(prompts.plain.rewardText) }, settings.resolution),
        "class.timestep": float32([timestep]),
      },
    };
  },
};

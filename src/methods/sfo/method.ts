import { float32 } from "../../tensor/tensor.ts";
import type { Method } from "../../training/method.ts";
import { photoFeeds } from "../../training/photo-loss.ts";
import { drawTimestep, pictureFeeds, textFeeds } from "../../training/picture-feeds.ts";
import { isOwn, lastRound, referenceFeeds, rememberedOf } from "../own-pictures.ts";
import { objective } from "./objective.ts";
import { pairOf, round } from "./round.ts";

const PAIR = ["whole", "degraded"] as const;

/** Subject fidelity optimization (Shin et al., 2025, arXiv 2506.03621) with negatives of degraded prompts. */
export const method: Method = {
  onlySquares: ({ positives }) =>
    positives === "photos" ? "has one noise for a photo and its negative, which need one shape for it" : undefined,
  round,
  remembered: rememberedOf(PAIR),
  objective,
  feeds(step, context, _starting, rounds) {
    const { settings, prompts, embedding } = context;
    const { photo, feeds, rng, timestep: photoTimestep } = photoFeeds(step, context);
    const ofPhotos = settings.positives === "photos";
    const pair = pairOf(step, settings, ofPhotos ? 1 : prompts.training.length);
    const drawn = lastRound(rounds);
    const pathOf = (use: string) => {
      const picture = drawn.images.find(
        (each) => each.use === use && each.promptIndex === pair.promptIndex && each.index === pair.index,
      );
      if (picture === undefined) throw new Error(`step ${step}: no ${use} picture ${pair.promptIndex}-${pair.index}`);
      return picture.image;
    };
    const negative = pathOf(pair.use);
    const timestep = ofPhotos ? photoTimestep : drawTimestep(context, rng.split("own timestep"));
    const feedsOf = (name: string, path: string, noise: string) =>
      pictureFeeds(name, drawn.encoded(path), timestep, rng, context, noise);
    const isUsed = ofPhotos || isOwn(rounds);
    const positive = ofPhotos ? undefined : pathOf("own");
    return {
      photo,
      ...(isUsed && { roundPictures: [...(positive === undefined ? [] : [positive]), negative] }),
      feeds: {
        ...feeds,
        ...feedsOf("negative", negative, ofPhotos ? "ref" : "pair"),
        ...(positive !== undefined && {
          ...feedsOf("positive", positive, "pair"),
          ...textFeeds({ "own.prompt": embedding(prompts.training[pair.promptIndex].text) }, settings.resolution),
          "own.timestep": float32([timestep]),
        }),
        ...referenceFeeds(step, PAIR, settings, rounds),
        "own.use": float32([isUsed ? 1 : 0]),
      },
    };
  },
};

import { UNCLIPPED } from "../../nn/adamw.ts";
import { squaredErrors } from "../../training/denoising.ts";
import { randomOfStep } from "../../training/draws.ts";
import type { Method } from "../../training/method.ts";
import { photoFeeds, photoLoss, photoPass } from "../../training/photo-loss.ts";
import { textFeeds } from "../../training/picture-feeds.ts";
import { TRAIN_NOTHING } from "../../training/trainable.ts";
import { sentences } from "./sentences.ts";
import { trainedWord } from "./word.ts";

/**
 * Textual inversion (Gal et al., ICLR 2023, arXiv 2208.01618), Eq. 2: nothing trains but the vectors v of a new word,
 *
 *     v* = argmin E ‖ε - ε_θ(z_t, t, c(y(v)))‖²        y: neutral sentences with the word, "a rendition of a [V]"
 *
 * as diffusers' `textual_inversion.py` has it, but that the table of all other words is not in the optimizer at all.
 */
export const method: Method = {
  trainable: () => TRAIN_NOTHING,
  texts(settings, encoders) {
    const word = trainedWord(settings, encoders);
    // clipping does not limit a word's step, as in diffusers' script
    return { ...word, group: { ...word.group, maxGradNorm: UNCLIPPED } };
  },
  moreTexts: sentences,
  objective(scope) {
    const sim = photoLoss(scope, squaredErrors(scope.policy, [photoPass(scope)])[0]);
    return { loss: sim, sim, moved: scope.displacement() };
  },
  feeds(step, context) {
    const { settings, embedding } = context;
    const { photo, feeds } = photoFeeds(step, context);
    const all = sentences(settings);
    if (all.length === 0) return { photo, feeds };
    const sentence = all[randomOfStep(settings.seed, step).split("sentence").integer(all.length)];
    return { photo, feeds: { ...feeds, ...textFeeds({ prompt: embedding(sentence) }, settings.resolution) } };
  },
};

import { add, div, mean, mul, slice, sum } from "../../graph/ops/index.ts";
import { RARE_WORDS } from "../../settings/concepts.ts";
import { subjectsOf } from "../../settings/subjects.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { float32 } from "../../tensor/tensor.ts";
import { squaredDifferences } from "../../training/denoising.ts";
import type { Method } from "../../training/method.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoFeeds, photoLoss, photoPass } from "../../training/photo-loss.ts";
import { encodePixels } from "../../training/photos.ts";
import { plainPrompts } from "../../training/prompts.ts";
import { pictureFeeds, textFeeds } from "../../training/picture-feeds.ts";
import { classFeeds, classPass } from "../class-feeds.ts";
import { classPictures } from "../class-pictures.ts";
import { trainedWords } from "../inversion/word.ts";
import { trainCrossAttention } from "./cross-attention.ts";
import { drawFraming, frame, framedText, LARGE_WORDS, SMALL_WORDS } from "./framing.ts";

const ALL = [1, 2, 3];

/**
 * Custom Diffusion's loss, with d² the squared differences of a prediction and m the latents that the photo fills in its frame:
 *
 *     L_sim   = Σ m d²(photo, t, "a photo of [V] dog") / Σ m
 *     L_prior = mean d²(class picture, t', "a photo of dog")
 *     L       = L_sim + weight · L_prior
 *
 * As in diffusers' script, and its authors', the sum over m takes all channels together and the mean of the class picture does not. Of several
 * subjects photos and class pictures are dealt from all of them together, as there: a step's class picture need not be of its photo's subject.
 */
function objective(scope: ObjectiveScope, { priorWeight }: Pick<TrainSettings, "priorWeight">): Losses {
  const { batch } = scope;
  const passes = priorWeight === 0 ? [photoPass(scope)] : [photoPass(scope), classPass(scope)];
  const squares = squaredDifferences(scope.policy, passes);
  const mask = scope.map("ref.mask");
  const sim = photoLoss(scope, div(sum(mul(slice(squares, 0, 0, batch), mask), ALL), sum(mask, ALL)));
  if (priorWeight === 0) return { loss: sim, sim };
  const prior = mean(slice(squares, 0, batch, 2 * batch));
  return { loss: add(sim, mul(prior, priorWeight)), sim, prior };
}

/**
 * Custom Diffusion (Kumari et al., CVPR 2023, arXiv 2212.04488) as in diffusers' `train_custom_diffusion.py`: keys and values of the attention to
 * texts train, and for each subject the vector of a word that begins as a rare one's.
 */
export const method: Method = {
  trainable: (settings, _config, weights) => trainCrossAttention(weights, settings),
  texts: (settings, encoders) =>
    trainedWords(
      subjectsOf(settings).map((subject, i) => ({ ...subject, class: RARE_WORDS[i] ?? "", vectors: 1 })),
      encoders,
    ),
  moreTexts: ({ augment }, prompts) =>
    augment
      ? plainPrompts(prompts).flatMap(({ text }) =>
          [...SMALL_WORDS, ...LARGE_WORDS].map((words) => framedText(text, words)),
        )
      : [],
  onlySquares: () => "frames photos in squares",
  startingPictures: classPictures,
  objective,
  async feeds(step, context, pictures) {
    const { settings, embedding, cuts, photos, encode } = context;
    const { photo, timestep, rng, feeds } = photoFeeds(step, context);
    const { resolution, augment } = settings;
    const factor = resolution / photos[photo].views[0].encoded.mean.shape[1];
    const framing = augment
      ? drawFraming(resolution, rng.split("framing"))
      : { side: resolution, top: 0, left: 0, words: "" };
    const { pixels, mask } = frame(await cuts[photo](), framing, factor);
    const picture = augment ? await encodePixels(pixels, encode) : photos[photo].views[0].encoded;
    const text = embedding(framedText(photos[photo].text, framing.words));
    const ofPhoto = {
      ...feeds,
      ...pictureFeeds("ref", picture, timestep, rng, context),
      ...textFeeds({ prompt: text }, resolution),
      "ref.mask": augment ? mask : float32(mask.data.fill(1), mask.shape),
    };
    if (settings.priorWeight === 0) return { photo, feeds: ofPhoto };
    const { startingPicture, feeds: ofClass } = classFeeds(step, context, pictures, rng);
    return { photo, startingPicture, feeds: { ...ofPhoto, ...ofClass } };
  },
};

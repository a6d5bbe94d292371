import type { Value } from "../graph/graph.ts";
import { harmonicReward } from "../reward/reward.ts";
import type { RoundImage } from "../runs/events.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { Random } from "../tensor/random.ts";
import { float32 } from "../tensor/tensor.ts";
import type { TrainingContext } from "../training/context.ts";
import { squaredErrors, type Pass } from "../training/denoising.ts";
import { dealer, pictureSeed } from "../training/draws.ts";
import type { Method } from "../training/method.ts";
import type { ObjectiveScope } from "../training/objective-scope.ts";
import { drawTimestep, pictureFeeds, textFeeds } from "../training/picture-feeds.ts";
import type { RunPrompts } from "../training/prompts.ts";
import type { DrawnRounds, LastRound } from "../training/round.ts";
import type { WantedPicture } from "../training/wanted-picture.ts";
import type { Feeds } from "../training/trainer.ts";
import { anchorsOf } from "./anchors.ts";
import { calibrate } from "./calibrated.ts";

/** What the methods have in common that learn from the model's own pictures, a new round of them every so many steps. */

type RoundSettings = Pick<TrainSettings, "seed" | "roundEvery" | "roundPictures">;

/** A round: pictures of every training prompt, from noises that no other round has. */
export function ownPictures(step: number, settings: RoundSettings, { training }: RunPrompts): WantedPicture[] {
  const { seed, roundEvery, roundPictures } = settings;
  if (step % roundEvery !== 0) return [];
  return training.flatMap(({ text, rewardText }, promptIndex) =>
    Array.from({ length: roundPictures }, (_, index) => ({
      use: "own",
      text,
      prompt: rewardText,
      promptIndex,
      index,
      seed: pictureSeed(seed, `round ${step}`, promptIndex, index),
    })),
  );
}

/** The last round. It is there before the first step. */
export function lastRound({ last }: DrawnRounds): LastRound {
  if (last === undefined) throw new Error("a step before the first round");
  return last;
}

/** Whether the last round is the model's own: the first one is the starting model's, which knows no subject, and gives the measure alone. */
export function isOwn({ last }: DrawnRounds): boolean {
  return last !== undefined && last.step > 0;
}

/** A picture with its calibrated lambda-harmonic reward. */
export interface Judged {
  readonly picture: RoundImage;
  readonly reward: number;
}

/** The last round's pictures of one prompt, best first. */
export async function judgedPictures(
  context: TrainingContext,
  rounds: DrawnRounds,
  promptIndex: number,
): Promise<Judged[]> {
  const anchors = await anchorsOf(context, rounds.first);
  return lastRound(rounds)
    .images.filter((picture) => picture.promptIndex === promptIndex)
    .map((picture) => ({
      picture,
      reward: harmonicReward(calibrate(picture, anchors, promptIndex), context.settings.roundLambda),
    }))
    .sort((a, b) => b.reward - a.reward);
}

/** What {@link singleFeeds} feeds, for `squaredErrors`. */
export function ownPass(scope: ObjectiveScope): Pass {
  return { pictures: scope.pictures("own"), timestep: scope.numbers("own.timestep"), text: scope.text("own.prompt") };
}

/** The curves that a round remembers for {@link referenceErrors}, where the model is compared with itself. */
export function rememberedOf(names: readonly string[]): NonNullable<Method["remembered"]> {
  return ({ roundReference }) => (roundReference === "round" ? names : []);
}

/** e₀ of passes, by their names: the starting model's errors, or those of the model as it was when the round was drawn, which are fed. */
export function referenceErrors<N extends string>(
  scope: ObjectiveScope,
  passes: Readonly<Record<N, Pass>>,
  { roundReference }: Pick<TrainSettings, "roundReference">,
): Record<N, Value> {
  const names = Object.keys(passes) as N[];
  const errors =
    roundReference === "start"
      ? squaredErrors(scope.start, Object.values(passes))
      : names.map((name) => scope.numbers(`${name}.before`));
  return Object.fromEntries(names.map((name, i) => [name, errors[i]])) as Record<N, Value>;
}

/** What {@link referenceErrors} declares. */
export function referenceFeeds(
  step: number,
  names: readonly string[],
  { roundReference }: Pick<TrainSettings, "roundReference">,
  rounds: DrawnRounds,
): Feeds {
  if (roundReference === "start") return {};
  return Object.fromEntries(names.map((name) => [`${name}.before`, float32([lastRound(rounds).before(name, step)])]));
}

/** The picture of the last round that a step (from 1) learns from: they come round in shuffled order. */
export function pictureOfStep(step: number, { settings }: TrainingContext, rounds: DrawnRounds): RoundImage {
  const { images } = lastRound(rounds);
  return images[dealer(settings.seed, "round pictures", images.length)(step - 1)];
}

/** What a step is fed of one picture of the last round, as "own", "own.timestep" and "own.prompt". */
export function singleFeeds(
  picture: RoundImage,
  context: TrainingContext,
  rounds: DrawnRounds,
  rng: Random,
): { readonly timestep: number; readonly feeds: Feeds } {
  const { settings, prompts, embedding } = context;
  const timestep = drawTimestep(context, rng.split("own timestep"));
  return {
    timestep,
    feeds: {
      ...pictureFeeds("own", lastRound(rounds).encoded(picture.image), timestep, rng, context),
      ...textFeeds({ "own.prompt": embedding(prompts.training[picture.promptIndex].text) }, settings.resolution),
      "own.timestep": float32([timestep]),
    },
  };
}

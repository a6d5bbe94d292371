import { join } from "node:path";
import { readHashedImage } from "../images/read.ts";
import { writePng } from "../images/write.ts";
import type { RoundEvent, RoundImage, RunControl } from "../runs/events.ts";
import { roundPicturePath } from "../runs/folder.ts";
import type { Recorder } from "../runs/recorder.ts";
import { UsageError } from "../system/errors.ts";
import type { TrainingContext } from "./context.ts";
import type { Method } from "./method.ts";
import { encodePicture, type EncodedPicture } from "./photos.ts";
import type { DrawnRounds, LastRound } from "./round.ts";
import type { EncodedStartingPictures } from "./starting-picture.ts";
import { meansOf, orUndefinedWhenStopped } from "./trainer.ts";

/** Pictures that the model draws for its own training while it trains: a round of them after certain steps, with the weights as they are. */

export interface Rounds {
  drawn(): DrawnRounds;
  /** Draws the round of a step, where the method wants one and it is not drawn yet. @returns false when interrupted: nothing of it is kept then */
  draw(step: number): Promise<boolean>;
}

export interface RoundsOptions extends Pick<RunControl, "signal"> {
  /** The rounds that the run has drawn already. */
  readonly known: readonly RoundEvent[];
  /** The starting model's pictures. */
  readonly starting: EncodedStartingPictures;
}

/**
 * The rounds of a run, which has drawn some where it goes on. A round is one line of the log, so that there is all of it or none; a run that
 * goes on from a state before it draws it again, from the same weights and noises.
 * @throws UsageError when a picture of the last one is gone or changed: the weights that drew it are no more
 */
export async function openRounds(
  method: Method,
  context: TrainingContext,
  recorder: Recorder,
  { signal, known, starting }: RoundsOptions,
): Promise<Rounds> {
  const { settings, scorer, encode } = context;
  let first = known.at(0)?.images ?? [];
  const before = known.at(-1);
  let last = before && (await reopen(before, context));
  /** The remembered curves of the steps from a round to the next, by the weights as they are; undefined when interrupted. */
  const rememberSteps = async (step: number, rounds: DrawnRounds) => {
    const before: Record<string, number[]> = {};
    const names = method.remembered?.(settings) ?? [];
    for (let next = step + 1; names.length > 0 && next <= settings.steps; next++) {
      const { feeds } = await method.feeds(next, context, starting, rounds);
      const curves = await context.trainer.backward(feeds, signal).catch(orUndefinedWhenStopped);
      if (curves === undefined) return undefined;
      const means = meansOf(curves);
      for (const name of names) (before[name] ??= []).push(means[name]);
      if (context.round(next).length > 0) break;
    }
    return before;
  };
  return {
    drawn: () => ({ first, last }),
    async draw(step) {
      const wanted = context.round(step);
      if (wanted.length === 0 || last?.step === step) return true;
      const images: RoundImage[] = [];
      const encoded = new Map<string, EncodedPicture>();
      const areDrawn = await context.draw(wanted, {
        phase: "drawing",
        async done(image, picture) {
          const path = roundPicturePath(step, picture.use, picture.promptIndex, picture.index);
          const sha256 = await writePng(join(settings.output, path), image);
          const [{ alignI, alignT }] = await scorer.score([image], [picture.prompt]);
          encoded.set(path, await encodePicture(image, encode));
          images.push({ ...picture, alignI, alignT, image: path, sha256 });
        },
      });
      if (!areDrawn) return false;
      const rounds = { first: first.length === 0 ? images : first, last: lastRound({ step, images }, encoded) };
      const before = await rememberSteps(step, rounds);
      if (before === undefined) return false;
      const drawn = { step, images, ...(Object.keys(before).length > 0 && { before }) };
      await recorder.record({ type: "round", ...drawn });
      first = rounds.first;
      last = lastRound(drawn, encoded);
      return true;
    },
  };
}

/** A round that was drawn before, from its files. */
async function reopen(round: RoundEvent, { settings, encode }: TrainingContext): Promise<LastRound> {
  const encoded = new Map<string, EncodedPicture>();
  for (const { image: path, sha256: expected } of round.images) {
    const file = join(settings.output, path);
    const { image, sha256 } = await readHashedImage(file);
    if (sha256 !== expected)
      throw new UsageError(`${file}: not what the run drew at step ${round.step}; put it back, or start a new run`);
    encoded.set(path, await encodePicture(image, encode));
  }
  return lastRound(round, encoded);
}

function lastRound(
  { step: drawnAt, images, before }: Omit<RoundEvent, "type">,
  pictures: ReadonlyMap<string, EncodedPicture>,
): LastRound {
  return {
    step: drawnAt,
    images,
    before: (curve, step) => before?.[curve]?.[step - drawnAt - 1] ?? 0,
    encoded(path) {
      const picture = pictures.get(path);
      if (picture === undefined) throw new Error(`${path} is not of the round of step ${drawnAt}`);
      return picture;
    },
  };
}

import type { TrainSettings } from "../../settings/train-settings.ts";
import { dealer } from "../../training/draws.ts";
import type { RunPrompts } from "../../training/prompts.ts";
import type { WantedPicture } from "../../training/wanted-picture.ts";
import { ownPictures } from "../own-pictures.ts";

type Settings = Pick<TrainSettings, "seed" | "roundEvery" | "roundPictures" | "positives" | "degraded">;

/** What a picture's prompt lacks, which is what the method uses it as. */
const LACKS = { subject: "subjectless", scene: "sceneless" } as const;
type Degraded = (typeof LACKS)[keyof typeof LACKS];

function degradedUses({ degraded, positives }: Settings): readonly Degraded[] {
  if (positives === "photos") return [LACKS.subject];
  return degraded === "both" ? [LACKS.subject, LACKS.scene] : [LACKS[degraded]];
}

/** A round: the training prompts whole and degraded, from the same noises; for the photos their own prompt without the identifier. */
export function round(step: number, settings: Settings, prompts: RunPrompts): WantedPicture[] {
  const { plain } = prompts;
  if (settings.positives === "photos")
    return ownPictures(step, settings, { ...prompts, training: [plain] }).map((picture) => ({
      ...picture,
      use: LACKS.subject,
      text: plain.rewardText,
    }));
  const whole = ownPictures(step, settings, prompts);
  const textOf = (use: Degraded, picture: WantedPicture) => (use === LACKS.subject ? picture.prompt : plain.text);
  return [
    ...whole,
    ...degradedUses(settings).flatMap((use) =>
      whole.map((picture) => ({ ...picture, use, text: textOf(use, picture) })),
    ),
  ];
}

/** The pair of a step (from 1): which prompt, which of its pictures, and what the negative lacks. They come round in shuffled order. */
export function pairOf(step: number, settings: Settings, prompts: number) {
  const uses = degradedUses(settings);
  const dealt = dealer(settings.seed, "round pairs", prompts * settings.roundPictures * uses.length)(step - 1);
  const place = Math.floor(dealt / uses.length);
  return { use: uses[dealt % uses.length], promptIndex: place % prompts, index: Math.floor(place / prompts) };
}

import type { RewardScale } from "../reward/scale.ts";
import type { RewardForm } from "../settings/reward-form.ts";
import type { AnchorsEvent, RunEvent, ValidationEvent } from "./events.ts";

/** How a run judges: by its form of the reward, with the anchors that it measured, if it did. */

/**
 * @param anchors the run's event, which runs of earlier versions lack
 * @param validations its validations, whose pictures the anchors are put in the order of
 */
export function scaleOf(
  form: RewardForm,
  anchors: AnchorsEvent | undefined,
  validations: readonly ValidationEvent[],
): RewardScale {
  if (anchors === undefined) return { form: "harmonic" };
  const [first] = validations;
  const pictures = (first === undefined ? [] : first.images).map(({ promptIndex }) => anchors.prompts[promptIndex]);
  return { form, anchors: { photosI: anchors.photosI, pictures } };
}

/** The same of a whole log. */
export function scaleOfLog(form: RewardForm, events: readonly RunEvent[]): RewardScale {
  return scaleOf(
    form,
    events.find((event) => event.type === "anchors"),
    events.filter((event) => event.type === "validation"),
  );
}

import type { Judged } from "../../reward/judged.ts";
import { html, type Html } from "../html.ts";
import { around, frame, stepAxis } from "./frame.ts";
import { errorDot, level, plusMinus, polyline, reach } from "./marks.ts";

/** The reward at one lambda over the steps, the starting model's as a level, the chosen step marked. */
export function rewardChart(judged: readonly Judged[], lambda: number, chosen: number): Html {
  const values = judged.flatMap(({ reward }) => reach(reward));
  return frame(
    {
      description: `Reward at lambda ${lambda} over the steps; the best is step ${chosen}.`,
      x: stepAxis(judged),
      y: { label: `reward, λ = ${lambda}`, domain: around(values) },
    },
    (scales) => [
      judged.length > 0 && level(scales, judged[0].reward.mean, "starting model"),
      polyline(
        scales,
        judged.map(({ step, reward }) => [step, reward.mean]),
        "reward",
      ),
      judged.map(({ step, reward, gain }) =>
        errorDot(
          scales,
          step,
          reward,
          step === chosen ? "reward chosen" : "reward",
          `step ${step}: reward ${plusMinus(reward)}; against the starting model ${plusMinus(gain)}`,
        ),
      ),
    ],
  );
}

/** Both alignments over the steps. */
export function alignmentChart(judged: readonly Judged[]): Html {
  const series = [
    { name: "align-i", label: "ALIGN-I", of: ({ alignI }: Judged) => alignI },
    { name: "align-t", label: "ALIGN-T", of: ({ alignT }: Judged) => alignT },
  ];
  return frame(
    {
      description:
        "Alignment of the validation pictures with the photos (ALIGN-I) and with their prompts (ALIGN-T) over the steps.",
      x: stepAxis(judged),
      y: {
        label: "alignment",
        domain: around(series.flatMap(({ of }) => judged.flatMap((each) => reach(of(each))))),
      },
    },
    (scales) =>
      series.map(
        ({ name, label, of }) =>
          html`${polyline(
            scales,
            judged.map((each) => [each.step, of(each).mean]),
            name,
          )}
          ${judged.map((each) => errorDot(scales, each.step, of(each), name, `step ${each.step}: ${label} ${plusMinus(of(each))}`))}`,
      ),
  );
}

import type { ComparedModel } from "../evaluation/comparison.ts";
import { isNothing, isSignificant, LEAST_REWARD } from "../reward/judged.ts";
import { signed, type Estimate } from "../reward/statistics.ts";
import { inWords } from "../reward/words.ts";
import { differencesOf, type ExamFile, type ExamRow } from "../runs/exam-file.ts";

/** The demo's tables as lines of text. */

/** By the reward: how far each model has come where that is known, else its alignments; * marks what a lambda chose. */
export function comparisonTable(models: readonly ComparedModel[], lambdas: readonly number[]): string[] {
  const isKnown = models.every(({ progress }) => progress !== undefined);
  const parts = isKnown ? ["likeness", "obedience"] : ["ALIGN-I", "ALIGN-T"];
  return aligned([
    ["", "step", ...parts, ...lambdas.map((lambda) => `r at λ ${lambda} `)],
    ...models.map(({ label, step, alignI, alignT, progress, rewards, chosenAt }) => [
      label,
      String(step),
      ...(isKnown && progress ? [progress.likeness, progress.obedience] : [alignI, alignT]).map((each) => text(each)),
      ...rewards.map((reward, l) => `${text(reward)}${chosenAt.includes(lambdas[l]) ? "*" : " "}`),
    ]),
  ]);
}

/** By the exam: every model, then what those of RPO have over the photos alone. */
export function examTable(exam: ExamFile): string[] {
  const rowsOf = (rows: readonly ExamRow[], textOf: (value: Estimate) => string) =>
    rows.map(({ label, step, identity, obedience, colours, good }) => [
      label,
      String(step),
      ...[identity, obedience, colours, good].map(textOf),
    ]);
  return aligned([
    ["", "step", "identity", "obedience", "of colours", "good pictures"],
    ...rowsOf(exam.models, (value) => text(value, 2)),
    ...rowsOf(differencesOf(exam), (value) => signed(value.mean, text(value, 2))),
  ]);
}

/** What each lambda chose of the RPO run, in words. */
export function verdict(models: readonly ComparedModel[], lambdas: readonly number[]): string[] {
  return models.flatMap(({ source, chosenAt, gains, step, progress }) => {
    if (source === "alone" || chosenAt.length === 0) return [];
    const name = `λ ${chosenAt.join(", ")}`;
    if (step === 0) return [`${name}: no checkpoint is better than the starting model.`];
    const gain = gains[lambdas.indexOf(chosenAt[0])];
    if (isNothing(gain))
      return [`${name}: the reward of step ${step} is less than ${LEAST_REWARD} above the starting model's.`];
    const sure = isSignificant(gain) ? "more than" : "not";
    const words = progress && ` It ${inWords(progress)}.`;
    return [
      `${name}: the reward rose by ${text(gain)} to step ${step}, ${sure} twice its standard error.${words ?? ""}`,
    ];
  });
}

/** ".734 ± .006" */
function text({ mean, standardError }: Estimate, digits = 3): string {
  return `${mean.toFixed(digits)} ± ${standardError.toFixed(digits)}`.replace(/(?<!\d)0\./g, ".");
}

/** Columns side by side, the first to the left. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}

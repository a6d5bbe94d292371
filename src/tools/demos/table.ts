import { GRADE_PARTS } from "../../exam/grade.ts";
import { signed } from "../../reward/statistics.ts";
import { differencesOf, type ExamFile, type ExamRow } from "../../runs/exam-file.ts";
import { markdown, meanText, short } from "../study/text.ts";

/** What is kept of a demo. */
export interface KeptDemo {
  readonly subject: string;
  readonly seed: number;
  /** Of the whole command, where nothing interrupted it. */
  readonly seconds?: number | undefined;
  /** The step that the run's own lambda chose. */
  readonly chosen: number;
  readonly exam: ExamFile;
}

/**
 * What RPO's chosen checkpoint has over the photos alone at the last step, demo by demo, ± one standard error over pairs of pictures, and over
 * all of them with the 95 % interval over subjects. Where the starting model was chosen there is nothing to compare.
 */
export function demosTable(demos: readonly KeptDemo[]): string {
  const rows = demos.map((demo) => ({ demo, row: chosenRow(demo) }));
  const means = GRADE_PARTS.map((part) =>
    meanText(
      rows.flatMap(({ demo: { subject }, row }) => (row === undefined ? [] : [{ subject, value: row[part].mean }])),
      { isDifference: true },
    ),
  );
  return markdown(
    ["subject", "seed", "chosen step", ...GRADE_PARTS, "seconds"],
    [
      ...rows.map(({ demo: { subject, seed, chosen, seconds }, row }) => [
        ...[subject, String(seed), String(chosen)],
        ...GRADE_PARTS.map((part) => (row === undefined ? "" : difference(row[part]))),
        seconds?.toFixed(0) ?? "",
      ]),
      ["all", "", "", ...means, ""],
    ],
  );
}

/** What the chosen checkpoint has over the photos alone. */
function chosenRow({ exam, chosen }: KeptDemo): ExamRow | undefined {
  return differencesOf(exam).find(({ step }) => step === chosen);
}

/** "+.44 ± .06" */
function difference({ mean, standardError }: ExamRow["identity"]): string {
  return signed(mean, `${short(mean, 2)} ± ${short(standardError, 2)}`);
}

import { GRADE_PARTS, gradeOf, marksOf, truthOf, type Grade } from "../../exam/grade.ts";
import { QUESTIONS } from "../../exam/questions.ts";
import type { GradedRun } from "./grade-run.ts";
import { markdown, meanText } from "./text.ts";
import type { Rule } from "./rules.ts";

/** A study's tables, in Markdown. */

/** The grade of every validation of a run, by its step. */
export function gradesOf({ validations, exam }: GradedRun): Map<number, Grade> {
  const start = validations[0].answers;
  return new Map(
    validations.map(({ step, answers }) => [step, gradeOf(marksOf(answers, start, QUESTIONS, exam))] as const),
  );
}

/** Every method's grades over the steps, means over the runs. */
export function courseTable(runs: readonly GradedRun[]): string {
  const rows = methodsOf(runs).flatMap(([method, own]) => {
    const grades = own.map(gradesOf);
    return [...grades[0].keys()].map((step) => [
      method,
      String(step),
      ...GRADE_PARTS.map((part) => meanOver(own, (i) => grades[i].get(step)?.[part].mean)),
    ]);
  });
  return markdown(["method", "step", ...GRADE_PARTS], rows);
}

/** What each method has over another one of the same subjects, seeds and surroundings, at every step. */
export function pairedTable(runs: readonly GradedRun[], baseline: string): string {
  const keyOf = ({ run }: GradedRun) => `${run.surroundings}/${run.subject}/${run.seed}`;
  const base = new Map(runs.filter(({ run }) => run.method === baseline).map((run) => [keyOf(run), gradesOf(run)]));
  const rows = methodsOf(runs)
    .filter(([, [first]]) => first.run.method !== baseline)
    .flatMap(([method, own]) => {
      const grades = own.map(gradesOf);
      const steps = [...grades[0].keys()].filter((step) => step > 0);
      return steps.map((step) => [
        `${method} - ${baseline}`,
        String(step),
        ...GRADE_PARTS.map((part) =>
          meanOver(
            own,
            (i) => {
              const [a, b] = [grades[i].get(step), base.get(keyOf(own[i]))?.get(step)];
              return a && b && a[part].mean - b[part].mean;
            },
            { isDifference: true },
          ),
        ),
      ]);
    });
  return markdown(["difference", "step", ...GRADE_PARTS], rows);
}

/** By how much each rule's choice is worse than the best of its run, by the exam, and what it chooses. */
export function regretTable(runs: readonly GradedRun[], rules: readonly Rule[], lambdas: readonly number[]): string {
  const rows = methodsOf(runs).flatMap(([method, own]) => {
    const grades = own.map(gradesOf);
    return rules.map(({ name, choose }) => [
      method,
      name,
      ...lambdas.map((lambda) =>
        meanOver(own, (i) => {
          const truths = [...grades[i].values()].map((grade) => truthOf(grade, lambda));
          const step = choose(own[i], lambda);
          const chosen = step === undefined ? undefined : grades[i].get(step);
          return chosen && Math.max(...truths) - truthOf(chosen, lambda);
        }),
      ),
      meanOver(own, (i) => choose(own[i], 0.5), { digits: 0 }),
    ]);
  });
  return markdown(["method", "rule", ...lambdas.map((lambda) => `regret at λ ${lambda}`), "step at λ .5"], rows);
}

/** "home" comes before the method's name where a study has several surroundings. */
function methodsOf(runs: readonly GradedRun[]): [string, GradedRun[]][] {
  const several = new Set(runs.map(({ run }) => run.surroundings)).size > 1;
  const groups = new Map<string, GradedRun[]>();
  for (const graded of runs) {
    const name = several ? `${graded.run.surroundings}, ${graded.run.method}` : graded.run.method;
    groups.set(name, [...(groups.get(name) ?? []), graded]);
  }
  return [...groups];
}

/** A mean over runs of what each of them has, where it has it. */
function meanOver(
  runs: readonly GradedRun[],
  valueOf: (index: number) => number | undefined,
  options?: Parameters<typeof meanText>[1],
): string {
  const values = runs.flatMap(({ run: { subject } }, i) => {
    const value = valueOf(i);
    return value === undefined ? [] : [{ subject, value }];
  });
  return meanText(values, options);
}

import { bootstrapMean } from "../../reward/bootstrap.ts";
import { mean, signed } from "../../reward/statistics.ts";
import { Random } from "../../tensor/random.ts";

/** How the tables of studies write figures. */

/** A value of one run on a subject. */
export interface SubjectValue {
  readonly subject: string;
  readonly value: number;
}

/**
 * A mean over runs and its 95 % interval, as ".73 [.68, .79]": the bootstrap over subjects, whose seeds stay together.
 * @param options.isDifference whether it is written with its sign, and in how many of the runs it is above 0
 */
export function meanText(values: readonly SubjectValue[], { isDifference = false, digits = 3 } = {}): string {
  if (values.length === 0) return "";
  const groups = new Map<string, number[]>();
  for (const { subject, value } of values) groups.set(subject, [...(groups.get(subject) ?? []), value]);
  const all = [...groups.values()].flat();
  const middle = mean(all);
  const interval = bootstrapMean([...groups.values()], new Random(0).split("study"));
  const range = interval === undefined ? "" : ` [${short(interval.low, digits)}, ${short(interval.high, digits)}]`;
  const count = isDifference ? ` (${all.filter((value) => value > 0).length}/${all.length})` : "";
  const text = `${short(middle, digits)}${range}${count}`;
  return isDifference ? signed(middle, text) : text;
}

/** ".731": without the zero before the point. */
export function short(x: number, digits: number): string {
  return x.toFixed(digits).replace(/^(-?)0\./, "$1.");
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

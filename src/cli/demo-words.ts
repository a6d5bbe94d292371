import { join, relative } from "node:path";
import { compareModels, type ComparedModel } from "../evaluation/comparison.ts";
import { isSignificant } from "../reward/judged.ts";
import type { Estimate } from "../reward/statistics.ts";
import { readEvents } from "../runs/folder.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { EXIT } from "./failure.ts";
import { companionsOfDemo, writeReport } from "./report.ts";
import { bundledSubjects, type BundledSubject } from "./subjects.ts";

/** What `rpo demo` says, and the table that it ends with. */

export const say = (line = ""): void => void process.stderr.write(`${line}\n`);

/** The lambdas whose choices are compared. */
const LAMBDAS = [0.3, 0.5, 0.7];

/** @returns the exit code */
export async function listSubjects({ json }: { readonly json: boolean }): Promise<number> {
  for (const { name, class: className, description } of await bundledSubjects())
    process.stdout.write(
      json
        ? `${JSON.stringify({ name, class: className, description })}\n`
        : `${name.padEnd(12)}a ${className}, ${description}\n`,
    );
  return EXIT.done;
}

/** What is about to happen. */
export const introduce = {
  run({ name, class: className, description, folder }: BundledSubject, { steps, adapter, token }: TrainRequest): void {
    say(`The subject: ${name}, a ${className}, ${description}.`);
    say(`Its photos are in ${relative(".", folder)}. The model has seen many a ${className}, but never this one.`);
    say();
    say(
      `1. RPO: ${adapter === "full" ? "the whole U-Net" : "a LoRA"} learns "${token} ${className}" from the photos, at most ${steps} steps.`,
    );
    say(
      "   First the model draws pictures of its own; each step then trains on a photo, and on a preference between it and one of them,",
    );
    say("   which the reward for the prompt decides.");
    say("   Every now and then it draws the validation prompts, and the reward says how good the pictures are.");
    say();
  },
  photosAlone({ steps }: TrainRequest): void {
    say();
    say(`2. The same ${steps} steps on the photos alone (L_sim, DreamBooth's loss), for comparison.`);
    say();
  },
};

/** The table, what it says, and the report. */
export async function conclude(
  run: TrainRequest,
  photosAlone: TrainRequest,
  { json }: { readonly json: boolean },
): Promise<void> {
  const alone = (await validationsOf(photosAlone.output)).at(-1);
  if (alone === undefined) throw new UsageError(`${photosAlone.output}: has no validation`);
  const models = compareModels(await validationsOf(run.output), alone, LAMBDAS);
  const report = join(run.output, "report.html");
  await writeReport(run.output, report, await companionsOfDemo(run.output));
  if (json) {
    process.stdout.write(`${JSON.stringify({ type: "comparison", lambdas: LAMBDAS, models })}\n`);
    process.stdout.write(`${JSON.stringify({ type: "report", output: report })}\n`);
    return;
  }
  const pictures = alone.images.length;
  say();
  say(
    `3. What came out: means over ${pictures} pictures, the same prompts and starting noises in every row, ± one standard error.`,
  );
  say();
  process.stdout.write(`${comparisonTable(models).join("\n")}\n\n`);
  for (const line of verdict(models)) say(line);
  say();
  say(`The report, with the pictures:  ${report}`);
  say(
    `Draw it somewhere else:         rpo generate --adapter ${run.output} --prompt "a ${run.token} ${run.class} on the beach" --output pictures`,
  );
}

async function validationsOf(run: string) {
  return (await readEvents(run)).filter((event) => event.type === "validation");
}

/** The comparison as lines of text; * marks what a lambda chose. */
export function comparisonTable(models: readonly ComparedModel[]): string[] {
  const cells = models.map(({ label, step, alignI, alignT, rewards, chosenAt }) => [
    label,
    String(step),
    text(alignI),
    text(alignT),
    ...rewards.map((reward, l) => `${text(reward)}${chosenAt === LAMBDAS[l] ? "*" : " "}`),
  ]);
  const rows = [["", "step", "ALIGN-I", "ALIGN-T", ...LAMBDAS.map((lambda) => `r at λ ${lambda} `)], ...cells];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}

/** ".734 ± .006" */
function text({ mean, standardError }: Estimate): string {
  return `${mean.toFixed(3)} ± ${standardError.toFixed(3)}`.replaceAll("0.", ".");
}

/** Whether the reward rose, for each lambda. */
function verdict(models: readonly ComparedModel[]): string[] {
  return models.flatMap(({ chosenAt, gains, step }) => {
    if (chosenAt === undefined) return [];
    const gain = gains[LAMBDAS.indexOf(chosenAt)];
    if (step === 0) return [`λ ${chosenAt}: no checkpoint is better than the starting model.`];
    const sure = isSignificant(gain) ? "more than" : "not";
    return [`λ ${chosenAt}: the reward rose by ${text(gain)} to step ${step}, ${sure} twice its standard error.`];
  });
}

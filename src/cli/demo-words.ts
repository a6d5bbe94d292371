import { join, relative } from "node:path";
import type { TrainRequest } from "../settings/train-settings.ts";
import { comparisonTable, examTable, verdict } from "./demo-tables.ts";
import type { DemoOutcome } from "./demo-outcome.ts";
import { EXIT } from "./failure.ts";
import { companionsOfDemo } from "../report/read.ts";
import { writeReport } from "./report.ts";
import { bundledSubjects, type BundledSubject } from "./subjects.ts";

/** What `rpo demo` says. */

export const say = (line = ""): void => void process.stderr.write(`${line}\n`);

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
  exam(models: number): void {
    say();
    say(
      `3. The exam: ${models} models draw prompts that neither trained nor chose anything, judged by what the world knows.`,
    );
    say();
  },
};

/** The tables, what they say, and the report. */
export async function conclude(
  run: TrainRequest,
  { models, exam, pictures, lambdas }: DemoOutcome,
  { json }: { readonly json: boolean },
): Promise<void> {
  const report = join(run.output, "report.html");
  await writeReport(run.output, report, await companionsOfDemo(run.output));
  if (json) {
    process.stdout.write(`${JSON.stringify({ type: "comparison", lambdas, models })}\n`);
    if (exam !== undefined) process.stdout.write(`${JSON.stringify({ type: "exam", ...exam })}\n`);
    process.stdout.write(`${JSON.stringify({ type: "report", output: report })}\n`);
    return;
  }
  say();
  say("What came out, ± one standard error, the same prompts and starting noises in every row; * is what a λ chooses.");
  say();
  say(`By the reward, over ${pictures} pictures of the validation prompts:`);
  process.stdout.write(`${comparisonTable(models, lambdas).join("\n")}\n\n`);
  if (exam !== undefined) {
    say(
      `By judges that neither trained nor chose, over ${exam.pictures} pictures of other prompts. Identity: 0 the starting model,`,
    );
    say("1 a real picture of the subject there. Obedience: 0 the photos, 1 a real picture of what was asked.");
    process.stdout.write(`${examTable(exam).join("\n")}\n\n`);
  }
  for (const line of verdict(models, lambdas)) say(line);
  say();
  say(`The report, with the pictures:  ${report}`);
  say(
    `Draw it somewhere else:         rpo generate --adapter ${run.output} --prompt "a ${run.token} ${run.class} on the beach" --output pictures`,
  );
}

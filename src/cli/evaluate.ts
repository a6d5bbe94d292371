import { join } from "node:path";
import { z } from "zod";
import { EMBEDDED_FOLDER, EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import { summarize } from "../rpo/statistics.ts";
import type { Evaluation } from "../jobs/evaluate.ts";
import { runTask } from "../jobs/host.ts";
import { JUDGE_NAMES, type JudgeName } from "../jobs/judges.ts";
import { exists } from "../rpo/run-folder.ts";
import { TRAIN_DEFAULTS } from "../rpo/settings.ts";
import { UsageError } from "../tensor/errors.ts";
import { EXIT } from "./failure.ts";
import { fields, parseSettings, type GivenSettings } from "./options.ts";
import { checkFolder, checkOutput } from "./paths.ts";
import { createProgress } from "./progress.ts";

const { text, threads } = fields;

const schema = z.strictObject({
  references: text,
  images: text,
  prompts: text.optional(),
  class: text.optional(),
  token: text.default(TRAIN_DEFAULTS.token),
  holdOut: text.optional(),
  masks: text.optional(),
  judges: text.optional(),
  dino: text.optional(),
  clip: text.optional(),
  align: text.optional(),
  output: text.optional(),
  threads,
});

/** `rpo evaluate`. @returns the exit code */
export async function evaluateCommand(given: GivenSettings, { json }: { readonly json: boolean }): Promise<number> {
  const { judges: named, dino, clip, align, ...settings } = parseSettings(schema, given);
  const folder = named === EMBEDDED_MODEL ? EMBEDDED_FOLDER : named;
  await checkFolder("--references", settings.references, "the subject's photos");
  await checkFolder("--images", settings.images, "the pictures to judge");
  if (settings.masks !== undefined) await checkFolder("--masks", settings.masks, "masks named as their pictures");
  if (settings.output !== undefined) await checkOutput(settings.output);
  const judges = await judgeFolders(folder, { dino, clip, align });
  const progress = createProgress();
  // There is nothing to save: Ctrl-C leaves at once, the terminal in order.
  const leave = () => {
    progress.stop();
    process.kill(process.pid, "SIGINT");
  };
  process.once("SIGINT", leave);
  try {
    const { prompts, class: className, holdOut, masks, output, ...rest } = settings;
    const evaluation = await runTask(
      "evaluate",
      { ...rest, prompts, class: className, holdOut, masks, output, judges },
      {
        onEvent(event) {
          if (event.type === "progress") progress.update(event.phase, event.done, event.total);
          else progress.log(`warning: ${event.text}`);
        },
      },
    );
    progress.stop();
    process.stdout.write(json ? `${JSON.stringify(evaluation)}\n` : tableOf(evaluation));
    if (output !== undefined) process.stderr.write(`written to ${join(output, "evaluation.json")} and .csv\n`);
    return EXIT.done;
  } finally {
    progress.stop();
    process.off("SIGINT", leave);
  }
}

/** A folder for each judge: its own flag, or its name below --judges. */
async function judgeFolders(
  folder: string | undefined,
  own: Readonly<Record<JudgeName, string | undefined>>,
): Promise<Partial<Record<JudgeName, string>>> {
  const out: Partial<Record<JudgeName, string>> = {};
  for (const name of JUDGE_NAMES) {
    const given = own[name];
    if (given !== undefined) {
      await checkFolder(`--${name}`, given, "a transformers folder");
      out[name] = given;
    } else if (folder !== undefined && (await exists(join(folder, name)))) out[name] = join(folder, name);
  }
  if (Object.keys(out).length === 0)
    throw new UsageError(
      folder === undefined
        ? "give --judges FOLDER, or --dino, --clip or --align with a transformers folder"
        : `--judges ${folder}: expected folders named ${JUDGE_NAMES.join(", ")} in it`,
    );
  return out;
}

const ROWS = [
  ["dino", "DINO"],
  ["dinoMasked", "DINO, masked"],
  ["clipI", "CLIP-I"],
  ["clipT", "CLIP-T"],
  ["alignI", "ALIGN-I"],
  ["alignT", "ALIGN-T"],
] as const;

function tableOf({ pictures, copyRate, diversity, references }: Evaluation): string {
  const rows = ROWS.flatMap(([key, label]) => {
    const values = pictures.flatMap((picture) => picture[key] ?? []);
    if (values.length === 0) return [];
    const { mean, deviation } = summarize(values);
    return [`${label.padEnd(14)} ${mean.toFixed(3)} ± ${deviation.toFixed(3)}`];
  });
  if (copyRate !== undefined) rows.push(`${"copy rate".padEnd(14)} ${copyRate.toFixed(3)}`);
  if (diversity !== undefined) rows.push(`${"diversity".padEnd(14)} ${diversity.toFixed(3)}`);
  const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  return `${plural(pictures.length, "picture")}, ${plural(references.length, "reference")}; mean ± deviation\n${rows.join("\n")}\n`;
}

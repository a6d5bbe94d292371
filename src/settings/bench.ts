import { z } from "zod";
import { JSON_LINES, MACHINE, CONFIG } from "./common.ts";
import { above, between, names, oneOf, text, whole, yesOrNo, type Kind } from "./kinds.ts";
import { SURROUNDINGS } from "./surroundings.ts";
import { MOST_GUIDANCE, WHOLE } from "./limits.ts";
import { settingsWhere, type SettingsTable } from "./setting.ts";
import { TRAIN } from "./train.ts";
import { REDIS } from "./worker.ts";

/** What trainings may take, in seconds: a number, or as much as RPO's own. */
export type Budget = number | "rpo";

/** As a benchmark's files have it. */
export const budgetSchema = z.union([z.literal("rpo"), above(0).stored]);

const budget: Kind<Budget> = {
  given: z
    .union([z.string(), z.number()])
    .transform((value): Budget => (value === "rpo" ? value : (above(0).given.safeParse(value).data ?? NaN)))
    .refine((value) => value === "rpo" || value > 0, "expected rpo or a number above 0"),
  stored: budgetSchema,
};

/** A benchmark's own settings. */
export const BENCH = {
  data: {
    ...text,
    absent: "none",
    takes: "<folder>",
    defaultText: "",
    group: "Subjects",
    help: "dreambench: a folder for each subject, and prompts_and_classes.txt",
  },
  subjects: {
    ...names,
    absent: "none",
    takes: "<names>",
    defaultText: "all",
    group: "Subjects",
    help: "with commas between",
  },
  methods: {
    ...names,
    absent: "none",
    takes: "<names>",
    defaultText: "the paper's ablation",
    group: "Subjects",
    help: "of references, base, l-sim, l-sim+selection, l-pref-only-late, rpo, and the other methods of rpo train, such as dreambooth and dreambooth+selection; all for all of them",
  },
  surroundings: {
    ...oneOf(SURROUNDINGS),
    absent: "none",
    takes: "<where>",
    defaultText: "home",
    group: "Subjects",
    help: "tinybench: all photos of a subject in one room (home), on one lawn (garden), or each somewhere else (mixed)",
  },
  seeds: {
    ...names,
    default: ["0"],
    takes: "<numbers>",
    group: "Subjects",
    help: "with commas between",
  },
  seconds: {
    ...budget,
    absent: "none",
    takes: "<n>",
    defaultText: "none",
    group: "Subjects",
    help: "a second table at equal seconds of training, so many, or rpo for as many as RPO takes for each subject and seed",
  },
  promptsPerSubject: {
    ...whole([1, 1000]),
    default: 25,
    takes: "<n>",
    group: "Pictures",
    help: "spread over the subject's prompts",
  },
  pictures: { ...whole(WHOLE.validationImages), default: 4, takes: "<n>", group: "Pictures", help: "of each prompt" },
  drawingSteps: {
    ...whole(WHOLE.validationSteps),
    default: 20,
    takes: "<n>",
    group: "Pictures",
    help: "sampler steps of the pictures that are judged",
  },
  guidance: {
    ...between(0, MOST_GUIDANCE),
    absent: "none",
    takes: "<x>",
    defaultText: "the one of training, 7.5 or the model's own",
    group: "Pictures",
    help: "of the same",
  },
  judges: {
    ...text,
    absent: "none",
    takes: "<folder>",
    defaultText: "",
    group: "Pictures",
    help: "holds dino, clip and align; tiny for the embedded ones",
  },
  output: {
    ...text,
    absent: "refused",
    takes: "<folder>",
    help: "where everything goes; a benchmark that was stopped goes on",
  },
  config: { ...CONFIG.config, help: "more settings of training as JSON, see rpo train" },
  redis: { ...REDIS.redis, help: `have rpo worker do the work: ${REDIS.redis.help}` },
  threads: { ...MACHINE.threads, help: "without --redis" },
} as const satisfies SettingsTable;

/** Settings of training that are flags of a benchmark. */
export const BENCH_TRAINING = settingsWhere(TRAIN, ({ inBench }) => inBench === "flag");

/** Settings of training that a benchmark decides. */
export const BENCH_DECIDED = settingsWhere(TRAIN, ({ inBench }) => inBench === "decided");

/** Flags that say nothing of what is done. */
export const BENCH_COMMAND = {
  listSubjects: { ...yesOrNo, default: false, help: "list them and end" },
  json: { ...JSON_LINES.json, help: "a line for each result on stdout" },
} as const satisfies SettingsTable;

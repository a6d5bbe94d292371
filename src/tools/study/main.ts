import { parseArgs } from "node:util";
import { TINYBENCH } from "../../world/tinybench.ts";
import { UsageError } from "../../system/errors.ts";
import { countOf, oneOf, runTool } from "../arguments.ts";
import type { GradedRun } from "./grade-run.ts";
import { performRun, readGraded } from "./perform.ts";
import { ownPrompts } from "./prompts.ts";
import { rulesOf } from "./rules.ts";
import { writeSheet } from "./sheet.ts";
import { runsOf, STUDIES, type Study, type StudyName } from "./studies.ts";
import { courseTable, pairedTable, regretTable } from "./table.ts";
import { readLosses, watchLosses } from "./watch-losses.ts";

const NAMES = Object.keys(STUDIES) as StudyName[];

const USAGE = `usage: npm run --silent study -- NAME --output FOLDER [--jobs 2] [--losses] [--tables] [--sheet FILE.webp]
Trains the embedded model as a study asks and puts what it draws to the exam; what is there already is not done again. Ends with the study's
tables; --tables prints those of what is there, and trains nothing. --losses trains each run twice more, drawing nothing, for rules of choosing
that watch a loss: on fixed draws (DVAR), and on a photo held out. --sheet writes a contact sheet of the last step, of the first seed.
${NAMES.map((name) => `  ${name.padEnd(14)}${STUDIES[name].about}`).join("\n")}`;

interface Request {
  readonly study: Study;
  readonly output: string;
  readonly jobs: number;
  readonly losses: boolean;
  readonly tables: boolean;
  readonly sheet?: string | undefined;
}

async function main(request: Request): Promise<void> {
  if (!request.tables && !(await train(request))) {
    process.exitCode = 130;
    return;
  }
  await writeTables(request);
  if (request.sheet !== undefined) await drawSheet(request, request.sheet);
}

async function drawSheet({ study, output }: Request, file: string): Promise<void> {
  const [seed] = study.seeds;
  const [surroundings] = study.surroundings;
  const runs = runsOf(study).filter((run) => run.seed === seed && run.surroundings === surroundings);
  await writeSheet(runs, { output, step: study.settings.steps, file });
}

/** @returns false when interrupted */
async function train({ study, output, jobs, losses }: Request): Promise<boolean> {
  const controller = new AbortController();
  const { signal } = controller;
  process.once("SIGINT", () => controller.abort());
  const runs = runsOf(study);
  const waiting = runs.values();
  let done = 0;
  const work = async (): Promise<void> => {
    for (const run of waiting) {
      if (signal.aborted) return;
      const started = performance.now();
      const options = { output, threads: 1, signal };
      if (!(await performRun(run, options)) || (losses && !(await watchLosses(run, options)))) return;
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      process.stderr.write(`${++done}/${runs.length}  ${run.name}  ${seconds} s\n`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, () => work()));
  return done === runs.length;
}

async function writeTables({ study, output }: Request): Promise<void> {
  const runs: GradedRun[] = [];
  for (const run of runsOf(study)) {
    const graded = await readGraded(output, run);
    if (graded !== undefined) runs.push({ ...graded, losses: await readLosses(output, run) });
  }
  if (runs.length === 0)
    throw new UsageError(`${output}: no run of this study has been graded yet; leave --tables out`);
  const repaints = new Map<string, readonly boolean[]>();
  for (const { name, className } of TINYBENCH) {
    const { validation } = await ownPrompts(className);
    repaints.set(
      name,
      validation.map(({ likeness = true }) => !likeness),
    );
  }
  const rules = rulesOf(({ run }) => repaints.get(run.subject) ?? []);
  const tables = [
    `${runs.length} runs. Means, 95 % intervals over subjects.`,
    courseTable(runs),
    pairedTable(runs, study.baseline),
    ...(study.choosing ? [regretTable(runs, rules, [0.3, 0.5, 0.7])] : []),
  ];
  process.stdout.write(`${tables.join("\n\n")}\n`);
}

/** @throws UsageError */
function parseRequest(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: "string" },
      jobs: { type: "string", default: "2" },
      losses: { type: "boolean", default: false },
      tables: { type: "boolean", default: false },
      sheet: { type: "string" },
    },
  });
  if (values.output === undefined) throw new UsageError("--output is missing");
  return {
    study: STUDIES[oneOf("NAME", positionals[0], NAMES)],
    output: values.output,
    jobs: countOf("--jobs", values.jobs),
    losses: values.losses,
    tables: values.tables,
    sheet: values.sheet,
  };
}

await runTool(USAGE, parseRequest, main);

import { join, relative } from "node:path";
import { z } from "zod";
import { listImages } from "../../images/folder.ts";
import { BENCHMARK_FILE, photoImagePath } from "../../runs/folder.ts";
import { UsageError } from "../../system/errors.ts";
import { readJson } from "../../system/files.ts";
import { insideOf, staysInside } from "../../system/inside.ts";
import { parseAs } from "../../system/json.ts";
import { amount } from "../../system/numbers.ts";
import { readLines } from "../../system/line-file.ts";
import { thumbnail, thumbnailSide } from "../../report/thumbnails.ts";
import type { Picture } from "../../report/view.ts";
import { ORIGINS_FILE, parseOriginLine, RESULT_FILE, validationsSchema, type Origin } from "../files.ts";
import type { MethodName } from "../../settings/learning.ts";
import { labelOf, METHODS, variantsOf, type TimedValidation } from "../methods.ts";
import { keyOf, type Row } from "./results.ts";
import { rankOf } from "./summary.ts";

/** One training run that rows are made of. */
export interface Curve {
  readonly subject: string;
  readonly seed: number;
  readonly trainedBy: MethodName;
  /** Of RPO. */
  readonly preference: boolean;
  readonly validations: readonly TimedValidation[];
}

/** Pictures of one subject: a row of the grid for each prompt, a column for each method, all from the same noise. */
export interface PictureGrid {
  readonly subject: string;
  readonly photos: readonly Picture[];
  readonly columns: readonly string[];
  readonly rows: readonly { readonly prompt: string; readonly pictures: readonly (Picture | undefined)[] }[];
}

/** What the page is made of. */
export interface BenchView {
  readonly name: string;
  /** How the models were trained and the pictures drawn, in a line; undefined where bench.json does not say so. */
  readonly settings: string | undefined;
  readonly rows: readonly Row[];
  readonly curves: readonly Curve[];
  readonly grids: readonly PictureGrid[];
  readonly madeAt: Date;
}

const resultSchema = z.object({ validations: validationsSchema });
const trainingSchema = z.object({ adapter: z.string(), steps: amount, learningRate: amount });
const planSchema = z.object({
  name: z.string(),
  drawing: z.object({ pictures: amount, steps: amount, guidance: amount }),
  sources: z.object({ model: z.string(), reward: z.string(), judges: z.record(z.string(), z.string()) }).optional(),
  subjects: z.record(
    z.string(),
    // of methods with settings of their own, `others` has them
    z.object({ training: trainingSchema, others: z.record(z.string(), trainingSchema).default({}) }),
  ),
});

const MOST_PROMPTS = 4;
const MOST_SUBJECTS = 30;

/**
 * Reads what belongs to the rows of a benchmark's folder; what is missing is left out.
 * @throws UsageError naming a file that is damaged, or that leads out of the folder, which may come from others
 */
export async function readBenchView(
  output: string,
  rows: readonly Row[],
  { now }: { readonly now: Date },
): Promise<BenchView> {
  const origins = await readOrigins(output, rows);
  return {
    ...(await readBenchName(output)),
    rows,
    curves: await readCurves(output, origins),
    grids: await readGrids(output, origins),
    madeAt: now,
  };
}

/** What a benchmark is called, and its settings in a line, where bench.json is of a form that says so. @throws UsageError where it is damaged */
export async function readBenchName(output: string): Promise<Pick<BenchView, "name" | "settings">> {
  const plan = planSchema.safeParse(await readIfThere(output, BENCHMARK_FILE));
  return plan.success
    ? { name: plan.data.name, settings: settingsOf(plan.data) }
    : { name: "benchmark", settings: undefined };
}

function settingsOf({ drawing, subjects, sources }: z.output<typeof planSchema>): string {
  const [subject] = Object.values(subjects);
  const training = subject && trainingOf(subject);
  const pictures = `${drawing.pictures} of each prompt in ${drawing.steps} sampler steps, guidance ${drawing.guidance}`;
  const judges = Object.entries(sources?.judges ?? {}).map(([judge, name]) => `${judge} ${name}`);
  const models = sources && `Model ${sources.model}, reward ${sources.reward}; judges: ${judges.join(", ")}. `;
  return `${models ?? ""}${training === undefined ? "" : `Training: ${training}. `}Pictures: ${pictures}.`;
}

type PlannedTrainings = z.output<typeof planSchema>["subjects"][string];

/** "full, rate 0.0006 (custom 0.0002), up to 240 steps": with the rate of each method that has one of its own. */
function trainingOf({ training: { adapter, learningRate, steps }, others }: PlannedTrainings): string {
  const rates = Object.entries(others)
    .filter(([, own]) => own.learningRate !== learningRate)
    .map(([method, own]) => `${method} ${own.learningRate}`);
  const besides = rates.length > 0 ? ` (${rates.join(", ")})` : "";
  return `${adapter}, rate ${learningRate}${besides}, up to ${steps} steps`;
}

/** The last origin of each row, in the table's order. */
async function readOrigins(output: string, rows: readonly Row[]): Promise<Origin[]> {
  const found = new Map<string, Origin>();
  const path = insideOf(output, ORIGINS_FILE);
  const { lines } = path === undefined ? { lines: [] } : await readLines(path);
  for (const [i, line] of lines.entries()) {
    const origin = parseOriginLine(line, `${path}, line ${i + 1}`);
    found.set(keyOf(origin), origin);
  }
  return [...rows].sort((a, b) => rankOf(a) - rankOf(b)).flatMap((row) => found.get(keyOf(row)) ?? []);
}

async function readCurves(output: string, origins: readonly Origin[]): Promise<Curve[]> {
  const curves = new Map<string, Curve>();
  for (const { run, subject, seed, method, budget } of origins) {
    // a training that was made longer for equal seconds is another's curve again
    if (run === null || seed === null || budget !== undefined || curves.has(run)) continue;
    const path = join(run, RESULT_FILE);
    const value = await readIfThere(output, path);
    if (value === undefined) continue;
    const { validations } = parseAs(resultSchema, value, join(output, path), UsageError);
    const { source } = variantsOf([method])[0];
    if (source.from !== "run") continue;
    const { trainedBy, preference } = source;
    curves.set(run, { subject, seed, trainedBy, preference, validations });
  }
  return [...curves.values()];
}

async function readGrids(output: string, origins: readonly Origin[]): Promise<PictureGrid[]> {
  const subjects = [...new Set(origins.map(({ subject }) => subject))].sort().slice(0, MOST_SUBJECTS);
  const side = thumbnailSide(subjects.length * MOST_PROMPTS * METHODS.length);
  const small = async (path: string) => thumbnail(output, path, side);
  const grids: PictureGrid[] = [];
  for (const subject of subjects) {
    const photos = await photosOf(output, subject, origins);
    const mine = origins.filter(
      (origin) => origin.subject === subject && origin.pictures !== null && origin.budget === undefined,
    );
    const seed = mine.at(0)?.seed;
    const columns = mine.filter((origin) => origin.seed === seed);
    const prompts = await promptsOf(output, columns.at(0)?.pictures ?? "");
    grids.push({
      subject,
      photos: (await Promise.all(photos.map(small))).filter((picture) => picture !== undefined),
      columns: columns.map(labelOf),
      rows: await Promise.all(
        prompts.map(async ({ file, prompt }) => ({
          prompt,
          pictures: await Promise.all(columns.map(({ pictures }) => small(join(pictures ?? "", file)))),
        })),
      ),
    });
  }
  return grids;
}

/** A subject's photos by their paths in the folder: the miniature benchmark's own, else as a training kept them. Other folders are not the page's to show. */
async function photosOf(output: string, subject: string, origins: readonly Origin[]): Promise<string[]> {
  const own = insideOf(output, join("data", subject));
  if (own !== undefined) return (await listImages(own).catch(() => [])).map((path) => relative(output, path));
  const run = origins.find((origin) => origin.subject === subject && origin.run !== null)?.run;
  if (typeof run !== "string") return [];
  const kept: string[] = [];
  for (let path = join(run, photoImagePath(0)); insideOf(output, path) !== undefined;) {
    kept.push(path);
    path = join(run, photoImagePath(kept.length));
  }
  return kept;
}

/** Of pictures by the names of their files, which lie beside it. */
const promptsSchema = z.record(
  z.string().refine(staysInside, "expected the names of pictures in this folder"),
  z.object({ prompt: z.string() }),
);

/** A picture's file and its prompt, of at most {@link MOST_PROMPTS} prompts that lie evenly in the list. */
async function promptsOf(output: string, folder: string): Promise<{ file: string; prompt: string }[]> {
  const path = join(folder, "prompts.json");
  const value = await readIfThere(output, path);
  if (value === undefined) return [];
  const prompts = parseAs(promptsSchema, value, join(output, path), UsageError);
  const firsts = new Map<string, string>();
  for (const file of Object.keys(prompts).sort()) {
    const { prompt } = prompts[file];
    if (!firsts.has(prompt)) firsts.set(prompt, file);
  }
  const all = [...firsts].map(([prompt, file]) => ({ file, prompt }));
  const taken = Math.min(MOST_PROMPTS, all.length);
  return Array.from({ length: taken }, (_, i) => all[Math.floor((i * all.length) / taken)]);
}

/** The value of a JSON file in the benchmark's folder; undefined where there is none. @throws UsageError when it is damaged or leads out of it */
async function readIfThere(output: string, path: string): Promise<unknown> {
  const file = insideOf(output, path);
  return file === undefined ? undefined : readJson(file, UsageError);
}

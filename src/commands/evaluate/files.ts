import { join } from "node:path";
import { makeFolder, writeFileAtomic, writeJson } from "../../system/files.ts";
import type { Scores, Verdict } from "../../evaluation/judges.ts";
import type { JudgeRecord } from "../../evaluation/open-judges.ts";
import type { Picture } from "../../evaluation/pictures.ts";

/** All that the figures depend on, and the figures. */
export interface Evaluation extends Omit<Verdict, "pictures"> {
  readonly version: string;
  readonly judges: Readonly<Record<string, JudgeRecord>>;
  readonly references: readonly string[];
  readonly trainedOn: readonly string[];
  readonly pictures: readonly (Pick<Picture, "file" | "prompt" | "text"> & Scores)[];
}

const COLUMNS = ["dino", "dinoMasked", "nearest", "clipI", "clipT", "alignI", "alignT"] as const;

/** Writes evaluation.json with everything and evaluation.csv with a line for each picture. */
export async function writeEvaluation(folder: string, evaluation: Evaluation): Promise<void> {
  await makeFolder(folder);
  await writeJson(join(folder, "evaluation.json"), evaluation);
  const lines = evaluation.pictures.map((picture) =>
    [picture.file, picture.prompt, ...COLUMNS.map((name) => picture[name])].map(csvCell).join(","),
  );
  await writeFileAtomic(
    join(folder, "evaluation.csv"),
    `${["file,prompt", ...COLUMNS].join(",")}\n${lines.join("\n")}\n`,
  );
}

/** RFC 4180. A leading sign that spreadsheets would take for a formula is kept apart by a quote. */
function csvCell(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writtenChoice } from "../../runs/best.ts";
import { readRunConfig } from "../../runs/config.ts";
import { EVENTS_FILE, photoImagePath, validationImagePath } from "../../runs/folder.ts";
import { subjectNames, subjectsOf } from "../../settings/subjects.ts";
import { insideOf } from "../../system/inside.ts";
import { parseJson } from "../../system/json.ts";
import { oneLine } from "../../system/printable.ts";
import { withRegular } from "../../system/regular-files.ts";
import { readFully } from "../../system/files.ts";
import type { RowState, RunRow } from "../api.ts";
import { workerOf } from "./facts.ts";
import type { KnownRun } from "./registry.ts";
import { sizeOf } from "./size.ts";

/** A run's row in the library, from its settings, its last lines and its choice: the log of a long run is not read for it. */
export async function rowOf({ id, folder, name }: KnownRun, archived: boolean): Promise<RunRow> {
  const changed = (await stat(join(folder, EVENTS_FILE)).catch(() => undefined))?.mtime ?? new Date(0);
  const common = { id, name, archived, changed: changed.toISOString(), bytes: await sizeOf(folder) };
  try {
    const { settings } = await readRunConfig(folder);
    const [last, best, worker] = await Promise.all([lastOf(folder), writtenChoice(folder), workerOf(folder)]);
    return {
      ...common,
      subject: subjectNames(subjectsOf(settings)),
      method: settings.preference || settings.method !== "rpo" ? settings.method : "photos alone",
      state: worker !== undefined ? "live" : last.state,
      step: last.step,
      steps: settings.steps,
      best,
      picture: pictureOf(folder, best?.step),
    };
  } catch (error) {
    const problem = oneLine((error as Error).message, 300);
    return { ...common, ...NOTHING, problem };
  }
}

const NOTHING = {
  subject: "",
  method: "",
  state: "damaged",
  step: 0,
  steps: 0,
  best: undefined,
  picture: undefined,
} as const;

/** What shows the run: its chosen checkpoint's first picture, else its first photo. */
function pictureOf(folder: string, step: number | undefined): string | undefined {
  const wanted = [...(step === undefined ? [] : [validationImagePath(step, 0, 0)]), photoImagePath(0)];
  return wanted.find((path) => isThere(folder, path));
}

function isThere(folder: string, path: string): boolean {
  try {
    return insideOf(folder, path) !== undefined;
  } catch {
    return false;
  }
}

/** Two lines of the longest kinds. */
const TAIL = 256 * 1024;

const lineSchema = z.object({ type: z.string(), step: z.number().optional(), reason: z.string().optional() });

/** What the last lines of a log say. */
export async function lastOf(folder: string): Promise<{ readonly state: RowState; readonly step: number }> {
  const text = await withRegular(join(folder, EVENTS_FILE), { atMost: Infinity }, async (file, size) => {
    const bytes = Buffer.alloc(Math.min(TAIL, size));
    await readFully(file, bytes, size - bytes.length);
    return bytes.toString("utf8");
  });
  const lines = text.split("\n").flatMap((line) => {
    const parsed = lineSchema.safeParse(jsonOf(line));
    return parsed.success ? [parsed.data] : [];
  });
  const step = lines.findLast((line) => line.step !== undefined)?.step ?? 0;
  const last = lines.at(-1);
  if (last?.type === "error") return { state: "failed", step };
  return { state: last?.type === "stop" && last.reason !== "interrupted" ? "finished" : "stopped", step };
}

function jsonOf(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}

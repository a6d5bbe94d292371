import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readJson, writeJson } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";

/**
 * asked.json: what somebody who watches a run asks of the process that trains it, whoever started that and wherever it runs. The process
 * looks for it twice a second, does it, and removes the file when it ends; a file that was there before the process began does not count.
 */
const STOP_FILE = "asked.json";
/** The same for a validation out of turn: it may be asked for beside a stop, and neither takes the place of the other. */
const VALIDATION_FILE = "asked-validation.json";

/** `stop`: finish the step, save and end. `stop-after-validation`: the same once the next validation is done. */
const STOPS = ["stop", "stop-after-validation"] as const;
/** `validate`: validate the step at hand, out of turn, and go on. */
const VALIDATE = "validate";
export const REQUESTS = [...STOPS, VALIDATE] as const;
export type StopRequest = (typeof STOPS)[number];
export type RunRequest = (typeof REQUESTS)[number];

const stopSchema = z.object({ ask: z.enum(STOPS) });
const validationSchema = z.object({ ask: z.literal(VALIDATE) });

export async function writeRequest(run: string, ask: RunRequest): Promise<void> {
  await writeJson(join(run, ask === VALIDATE ? VALIDATION_FILE : STOP_FILE), { ask });
}

/** Marks of files with requests: a file that is written anew has another one, by whatever clock its drive goes. */
type Marks = ReadonlySet<string>;

/** What is asked of a run now. A process that begins then knows it for what was asked of another one. */
export async function requestsIn(run: string): Promise<Marks> {
  const marks = await Promise.all([STOP_FILE, VALIDATION_FILE].map((file) => markOf(run, file)));
  return new Set(marks.filter((mark) => mark !== undefined));
}

/** Undefined where there is no such file. */
async function markOf(run: string, file: string): Promise<string | undefined> {
  const info = await stat(join(run, file)).catch(() => undefined);
  return info && `${file} ${info.ino} ${info.mtimeMs}`;
}

/**
 * How it is to stop. Undefined where nothing is asked that this version knows.
 * @param old what was asked of another process. Default: nothing
 */
export async function readRequest(run: string, old: Marks = new Set()): Promise<StopRequest | undefined> {
  return (await read(run, STOP_FILE, stopSchema, old))?.ask;
}

/** Which validation out of turn is asked for, by its file's mark; undefined where none is. @param old as with {@link readRequest} */
export async function readValidationRequest(run: string, old: Marks = new Set()): Promise<string | undefined> {
  return (await read(run, VALIDATION_FILE, validationSchema, old))?.mark;
}

async function read<T extends object>(
  run: string,
  file: string,
  schema: z.ZodType<T>,
  old: Marks,
): Promise<(T & { readonly mark: string }) | undefined> {
  // looked for far more often than it is there
  const mark = await markOf(run, file);
  if (mark === undefined || old.has(mark)) return undefined;
  try {
    insideOf(run, file);
    return { ...schema.parse(await readJson(join(run, file))), mark };
  } catch {
    return undefined;
  }
}

/** Forgets all that is asked of a run. */
export async function forgetRequests(run: string): Promise<void> {
  await remove(join(run, STOP_FILE));
  await remove(join(run, VALIDATION_FILE));
}

/** Forgets what was asked of a process before this one: whoever watches would wait for it. */
export async function forgetOldRequests(run: string, old: Marks): Promise<void> {
  for (const file of [STOP_FILE, VALIDATION_FILE]) {
    const mark = await markOf(run, file);
    if (mark !== undefined && old.has(mark)) await remove(join(run, file));
  }
}

/** Forgets a validation that was asked for, and none that was asked for since. */
export async function forgetValidationRequest(run: string, mark: string): Promise<void> {
  if ((await readValidationRequest(run)) === mark) await remove(join(run, VALIDATION_FILE));
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readJson, writeJson } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";

/**
 * asked.json: what somebody who watches a run asks of the process that trains it, whoever started that and wherever it runs. The process
 * looks for it twice a second, does it, and removes the file when it ends; what is older than the process does not count.
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

/**
 * How it is to stop. Undefined where nothing is asked that this version knows.
 * @param since milliseconds since 1970: what was asked before was asked of another process
 */
export async function readRequest(run: string, since = 0): Promise<StopRequest | undefined> {
  return (await read(run, STOP_FILE, stopSchema, since))?.ask;
}

/** When a validation out of turn was asked for, in milliseconds since 1970; undefined where none is. @param since as with {@link readRequest} */
export async function readValidationRequest(run: string, since = 0): Promise<number | undefined> {
  return (await read(run, VALIDATION_FILE, validationSchema, since))?.at;
}

async function read<T extends object>(
  run: string,
  file: string,
  schema: z.ZodType<T>,
  since: number,
): Promise<(T & { readonly at: number }) | undefined> {
  const path = join(run, file);
  // looked for far more often than it is there
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || info.mtimeMs < since) return undefined;
  try {
    insideOf(run, file);
    return { ...schema.parse(await readJson(path)), at: info.mtimeMs };
  } catch {
    return undefined;
  }
}

/** Forgets all that is asked of a run. */
export async function forgetRequests(run: string): Promise<void> {
  await remove(join(run, STOP_FILE));
  await remove(join(run, VALIDATION_FILE));
}

/** Forgets what was asked of a process before this one: whoever watches would wait for it. @param since when this one began */
export async function forgetOldRequests(run: string, since: number): Promise<void> {
  for (const file of [STOP_FILE, VALIDATION_FILE]) {
    const info = await stat(join(run, file)).catch(() => undefined);
    if (info !== undefined && info.mtimeMs < since) await remove(join(run, file));
  }
}

/** Forgets a validation that was asked for then, and none that was asked for since. */
export async function forgetValidationRequest(run: string, at: number): Promise<void> {
  if ((await readValidationRequest(run)) === at) await remove(join(run, VALIDATION_FILE));
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readJson, writeJson } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";

/**
 * asked.json: what somebody who watches a run asks of the process that trains it, whoever started that and wherever it runs. The process
 * looks for it twice a second, does it, and removes the file when it ends; what is older than the process does not count.
 */
const REQUEST_FILE = "asked.json";

/** `stop`: finish the step, save and end. `stop-after-validation`: the same once the next validation is done. */
export const REQUESTS = ["stop", "stop-after-validation"] as const;
export type RunRequest = (typeof REQUESTS)[number];

const schema = z.object({ ask: z.enum(REQUESTS) });

export async function writeRequest(run: string, ask: RunRequest): Promise<void> {
  await writeJson(join(run, REQUEST_FILE), { ask });
}

/**
 * Undefined where nothing is asked that this version knows.
 * @param since milliseconds since 1970: what was asked before was asked of another process
 */
export async function readRequest(run: string, since = 0): Promise<RunRequest | undefined> {
  const path = join(run, REQUEST_FILE);
  // looked for far more often than it is there
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || info.mtimeMs < since) return undefined;
  try {
    insideOf(run, REQUEST_FILE);
    return schema.parse(await readJson(path)).ask;
  } catch {
    return undefined;
  }
}

export async function forgetRequest(run: string): Promise<void> {
  await rm(join(run, REQUEST_FILE), { force: true }).catch(() => undefined);
}

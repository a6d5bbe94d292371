import { rename } from "node:fs/promises";
import { basename } from "node:path";
import type { z } from "zod";
import { UsageError } from "../system/errors.ts";
import { exists, readJson } from "../system/files.ts";
import { parseAs } from "../system/json.ts";
import { oneLine } from "../system/printable.ts";

/** What a file of the page's own notes says, beside the runs. */
export interface Notes<T> {
  readonly value: T;
  /** What was wrong with it, and where it is now. */
  readonly problem?: string;
}

/**
 * Reads notes. A damaged file is put aside under another name, so that it can be looked at, and nothing is in the one that follows.
 * @param nothing where there is no file
 * @throws UsageError where the system does not let it be read or put aside
 */
export async function readNotes<T>(path: string, schema: z.ZodType<T>, nothing: T): Promise<Notes<T>> {
  if (!(await exists(path))) return { value: nothing };
  try {
    return { value: parseAs(schema, await readJson(path, UsageError), path, UsageError) };
  } catch (error) {
    if (!(error instanceof UsageError) || isSystems(error.cause)) throw error;
    const aside = await putAside(path);
    const problem = `${oneLine(error.message, 400)}; it is kept as ${basename(aside)}, and an empty one is begun`;
    return { value: nothing, problem };
  }
}

/** An error with a code is the system's: permissions, a disk. */
function isSystems(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause;
}

async function putAside(path: string): Promise<string> {
  for (let n = 1; ; n++) {
    const aside = `${path}.damaged${n === 1 ? "" : `-${n}`}`;
    if (await exists(aside)) continue;
    await rename(path, aside).catch((error: unknown) => {
      throw new UsageError(`${path}: damaged, and cannot be put aside`, { cause: error });
    });
    return aside;
  }
}

import { join } from "node:path";
import type { z } from "zod";
import { ModelError } from "./errors.ts";
import { exists, readJson, reasonOf } from "./files.ts";
import { parseAs } from "./json.ts";
import { readText } from "./regular-files.ts";

/** The text of `folder/name`, or undefined where there is no such file. @throws ModelError when it cannot be read. */
export async function readOptionalText(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  if (!(await exists(path))) return undefined;
  try {
    return await readText(path);
  } catch (error) {
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * `folder/name` parsed as JSON of the given form, or undefined where there is no such file.
 *
 * @throws ModelError naming the file: not JSON, or the first entry that does not fit.
 */
export async function readOptionalJson<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const path = join(folder, name);
  if (!(await exists(path))) return undefined;
  return parseAs(schema, await readJson(path), path);
}

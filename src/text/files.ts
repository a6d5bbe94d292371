import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ModelError } from "../tensor/errors.ts";

/** The text of `folder/name`, or undefined where there is no such file. @throws ModelError when it cannot be read. */
export async function readText(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, name), "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new ModelError(`${join(folder, name)}: cannot be read (${code ?? String(error)})`);
  }
}

/**
 * `folder/name` parsed as JSON of the given form, or undefined where there is no such file.
 *
 * @throws ModelError naming the file: not JSON (a truncated download?), or the first entry that does not fit.
 */
export async function readJson<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readText(folder, name);
  if (text === undefined) return undefined;
  const file = join(folder, name);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ModelError(`${file}: not valid JSON (${(error as Error).message}); is the download complete?`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `${issue.path.join(".")}: ` : "";
  throw new ModelError(`${file}: ${where}${issue?.message ?? "not as expected"}`);
}

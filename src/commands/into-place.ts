import { rename, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { makeFolder } from "../system/files.ts";
import { removeLeftovers, temporaryPath } from "../system/leftovers.ts";

/** As version 0.1.0 named what it had not finished. */
const PARTIAL = /\.\d+\.partial$/;

/** Writes under another name and renames: what has the output's name is whole. */
export async function intoPlace(output: string, write: (path: string) => Promise<void>): Promise<void> {
  const folder = dirname(resolve(output));
  await makeFolder(folder);
  await removeLeftovers(folder, (name) => name.startsWith(`.${basename(output)}.`) && PARTIAL.test(name));
  const partial = await temporaryPath(resolve(output));
  try {
    await write(partial);
    await rename(partial, output);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

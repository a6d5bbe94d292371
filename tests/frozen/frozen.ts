import { cp, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { root as packageRoot, temporaryFolder } from "../run/cli.ts";

/** What earlier versions have written, by the names of tests/frozen's folders. */
export const FROZEN = ["before-trust", "before-house"] as const;

/** Runs of an earlier version, in a folder of their own, with the paths of this machine. @returns the folder that has them */
export async function thaw(frozen: (typeof FROZEN)[number], part: string): Promise<string> {
  const root = await realpath(await temporaryFolder());
  const source = join(packageRoot, "tests", "frozen", frozen);
  for (const name of [part, "photos", "prompts.txt"])
    await cp(join(source, name), join(root, name), { recursive: true });
  for (const file of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || !/\.jsonl?$/.test(file.name)) continue;
    const path = join(file.parentPath, file.name);
    const text = await readFile(path, "utf8");
    const here = text
      .replaceAll("{ROOT}", root)
      .replaceAll("{PACKAGE}", packageRoot.replace(/\/$/, ""))
      .replaceAll("{HOST}", hostname());
    if (here !== text) await writeFile(path, here);
  }
  return root;
}

import { cp, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
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
    if (here === text) continue;
    await writeFile(path, here);
    await putSum(path, here);
  }
  return root;
}

/** A checkpoint's sums are of the bytes that were written where it was made: of a file with paths of this machine it is another. */
async function putSum(path: string, here: string): Promise<void> {
  const sums = join(dirname(path), "SHA256SUMS");
  const text = await readFile(sums, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const sum = createHash("sha256").update(here).digest("hex");
  await writeFile(sums, text.replace(new RegExp(`^[0-9a-f]{64}(?=  ${basename(path)}$)`, "m"), sum));
}

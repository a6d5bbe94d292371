import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Vitest's global setup for the tests of tests/, which start the program as it stands in dist/: builds it again if anything that it is made of has
 * changed since. Folders count as well as files, for a file that was moved or removed changes nothing else.
 */
export default async function freshBuild(): Promise<void> {
  const changed = await newerThanBuild(process.cwd());
  if (changed === undefined) return;
  process.stderr.write(`dist/ is older than ${changed}: npm run build\n`);
  const { status } = spawnSync("npm", ["run", "--silent", "build"], { stdio: "inherit", shell: true });
  if (status !== 0) throw new Error("npm run build failed, and tests/ are not run on an older dist/");
}

/** The last file that `npm run build` writes; it is not written when anything before it fails. */
const LAST = "dist/report/page/report.css";

async function newerThanBuild(root: string): Promise<string | undefined> {
  if (!existsSync(join(root, LAST))) return "src/";
  const built = (await stat(join(root, LAST))).mtimeMs;
  const sources = (await readdir(join(root, "src"), { recursive: true })).filter((file) => !file.endsWith(".test.ts"));
  for (const file of [
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
    ...sources.map((file) => join("src", file)),
  ]) {
    if ((await stat(join(root, file))).mtimeMs > built) return file;
  }
  return undefined;
}

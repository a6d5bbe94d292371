import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { MANIFEST, readManifest } from "../runtime/cuda/installation.ts";
import { PLATFORMS } from "./packages.ts";

/** Which files of an installation's folder are this program's own: those alone are ever removed. */

/** Of what is installed, besides libraries. */
export const LICENCES = "licences";

/** Libraries of any version: NVIDIA's have their major version in the name. */
const LIBRARIES = PLATFORMS.flatMap(({ packages }) => packages.flatMap(({ files }) => files)).map(({ name }) =>
  name.replaceAll(/\d+/g, "*"),
);
const RUNTIMES = ["libonnxruntime.so.*", "onnxruntime.dll"];

/** What a name with `*` stands for. */
function patternOf(name: string): RegExp {
  const parts = name.split("*").map((part) => part.replaceAll(/[.\\+]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\w.]*")}$`);
}

const KNOWN = [...LIBRARIES, ...RUNTIMES].map(patternOf);

/** Whether a name in an installation's folder is the program's own, be it whole, half written or of another version. */
export function isOwn(name: string, listed: ReadonlySet<string>): boolean {
  const inside = /^\.(.+)\.[\w-]+\.tmp$/.exec(name)?.[1] ?? name;
  return (
    inside === MANIFEST || inside === LICENCES || listed.has(inside) || KNOWN.some((pattern) => pattern.test(inside))
  );
}

/** What the manifest lists, where it can be read. */
function listedIn(folder: string): ReadonlySet<string> {
  try {
    return new Set(readManifest(folder).files.map(({ name }) => name));
  } catch {
    return new Set();
  }
}

/**
 * Removes an installation's own files, the manifest first: what is half removed is no installation.
 * @returns whether the folder is gone; it stays where somebody else's files are in it
 */
export async function removeInstallation(folder: string): Promise<boolean> {
  const listed = listedIn(folder);
  await rm(join(folder, MANIFEST), { force: true });
  for (const name of await readdir(folder))
    if (isOwn(name, listed)) await rm(join(folder, name), { recursive: true, force: true });
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DownloadStopped } from "../hub/errors.ts";
import { UsageError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { say, setting } from "../system/message.ts";
import { MOST_BYTES, readText, withRegular } from "../system/regular-files.ts";
import { licencesOf, wantedOf, type FoundFile, type FoundPackage } from "./found.ts";
import { parseMetadata, parseRecord, type RecordedFile } from "./metadata.ts";
import type { Package } from "./packages.ts";
import { writeChecked } from "./unpack.ts";
import { normalName } from "./wheel-name.ts";

/** A folder that Python packages are installed in, and the folders that describe them. */
export interface Environment {
  readonly sitePackages: string;
  /** Names of folders such as nvidia_cublas-13.10.0.20.dist-info. */
  readonly infos: readonly string[];
}

/**
 * A Python environment at hand.
 * @param folder its own, or its site-packages
 * @throws UsageError when it is neither
 */
export async function openEnvironment(folder: string): Promise<Environment> {
  const namesIn = (path: string) => readdir(path).catch((): string[] => []);
  const pythons = (await namesIn(join(folder, "lib"))).filter((name) => /^python3[\d.]*t?$/.test(name));
  const places = [folder, join(folder, "Lib", "site-packages")];
  for (const python of pythons) places.push(join(folder, "lib", python, "site-packages"));
  for (const sitePackages of places) {
    const infos = (await namesIn(sitePackages)).filter((name) => name.endsWith(".dist-info"));
    if (infos.length > 0) return { sitePackages, infos };
  }
  throw new UsageError(
    say`${setting("from", folder)}: expected a Python environment, or a site-packages folder with packages in it`,
  );
}

/** A package of the environment; undefined where it is not in it. @throws ModelError when a file that is wanted is not in it */
export async function fromEnvironment(
  { sitePackages, infos }: Environment,
  wanted: Package,
): Promise<FoundPackage | undefined> {
  const info = infos.find((name) => normalName(name.slice(0, name.indexOf("-"))) === wanted.name);
  if (info === undefined) return undefined;
  const textOf = (name: string) =>
    readText(join(sitePackages, info, name), { atMost: MOST_BYTES.text }).catch(() => "");
  const metadata = parseMetadata(await textOf("METADATA"), join(sitePackages, info));
  const files = parseRecord(await textOf("RECORD"));
  const fileOf = (file: RecordedFile & Pick<FoundFile, "name" | "role">): FoundFile => ({
    ...file,
    bytes: file.size,
    put(target, { signal, onBytes }) {
      const path = join(sitePackages, ...file.path.split("/"));
      return withRegular(path, { atMost: file.size }, async (source) => {
        const bytes = source.createReadStream({ autoClose: false, highWaterMark: 2 ** 20 });
        const problem = await writeChecked(bytes, file, target, { signal, onBytes });
        if (problem !== undefined) throw new Error(problem);
      }).catch((error: unknown) => {
        if (error instanceof DownloadStopped) throw error;
        throw new UsageError(`${path}: ${reasonOf(error)}; install ${wanted.name} there again`, { cause: error });
      });
    },
  });
  return {
    ...metadata,
    from: resolve(sitePackages),
    files: wantedOf(wanted, files, sitePackages).map(fileOf),
    licences: licencesOf(files).map((file) => fileOf({ ...file, name: file.path, role: "beside" })),
    close: () => Promise.resolve(),
  };
}

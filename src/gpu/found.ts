import { ModelError } from "../system/errors.ts";
import type { InstalledFile } from "../runtime/cuda/installation.ts";
import type { RecordedFile } from "./metadata.ts";
import { isFile, type Package } from "./packages.ts";

/** A package that was found somewhere: what it says of itself, and its files that are wanted. */
export interface FoundPackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Where, for people. */
  readonly from: string;
  readonly files: readonly FoundFile[];
  /** The texts of its licence. */
  readonly licences: readonly FoundFile[];
  /** The ranges of versions that it asks of others. */
  readonly requires: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

export interface PutOptions {
  /** The folder for what has come of a file that is not whole. */
  readonly downloads: string;
  readonly signal?: AbortSignal | undefined;
  /** Told how many of the file's {@link FoundFile.bytes} are there. */
  readonly onBytes: (done: number) => void;
}

export interface FoundFile extends RecordedFile {
  /** Without its folder. */
  readonly name: string;
  readonly role: InstalledFile["role"];
  /** How many bytes have to be fetched or read. */
  readonly bytes: number;
  /** Brings it to its place, where it appears whole and checked, or not at all. */
  put(target: string, options: PutOptions): Promise<void>;
}

/** The files of a package that are wanted, in the order in which they are loaded. @throws ModelError when one is missing */
export function wantedOf<F extends RecordedFile>(
  { name, files }: Package,
  present: readonly F[],
  from: string,
): (F & Pick<FoundFile, "name" | "role">)[] {
  return files.map((wanted) => {
    const found = present.filter(({ path }) => /^(nvidia|onnxruntime)\//.test(path) && isFile(wanted, path));
    if (found.length !== 1)
      throw new ModelError(
        `${from}: expected one ${wanted.name} of ${name}, found ${found.length === 0 ? "none" : found.map(({ path }) => path).join(", ")}`,
      );
    const [file] = found;
    return { ...file, name: file.path.slice(file.path.lastIndexOf("/") + 1), role: wanted.role };
  });
}

/** The texts of a package's licence, short ones. */
export function licencesOf<F extends RecordedFile>(present: readonly F[]): F[] {
  return present.filter(
    ({ path, size }) => /(^|\/)(licen[cs]e|notice|thirdpartynotices)[\w.-]*$/i.test(path) && size < 4e6,
  );
}

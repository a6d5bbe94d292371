import { ModelError } from "../system/errors.ts";
import { everyLine } from "../system/lines-or-json.ts";
import { staysInside } from "../system/inside.ts";
import { normalName } from "./wheel-name.ts";

/** What a Python package says of itself, in a wheel and where it is installed: METADATA and RECORD. */

export interface Metadata {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** The range of versions of each package that it asks for, in one extra or always. */
  readonly requires: ReadonlyMap<string, string>;
}

/** @param what it is of, for messages @throws ModelError */
export function parseMetadata(text: string, what: string): Metadata {
  const head = everyLine(text.split(/\r\n\r\n|\n\n|\r\r/)[0]);
  const all = (field: string) =>
    head.filter((line) => line.startsWith(`${field}: `)).map((line) => line.slice(field.length + 2).trim());
  const [name] = all("Name");
  const [version] = all("Version");
  if (name === undefined || version === undefined)
    throw new ModelError(`${what}: its METADATA has no name or no version`);
  const requires = all("Requires-Dist").flatMap((line) => {
    const [, its, range = ""] = /^([\w.-]+)(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?/.exec(line) ?? [];
    return its === undefined ? [] : [[normalName(its), range.trim()] as const];
  });
  const licence = all("License-Expression")[0] ?? all("License")[0] ?? "a licence that it does not name";
  return { name: normalName(name), version, licence, requires: new Map(requires) };
}

/** A file that a RECORD names, with its SHA-256 in hexadecimal digits. */
export interface RecordedFile {
  /** With "/" between, never outside of the folder. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** Lines of path,sha256=HASH,size (PEP 376), a path with a comma in it in quotes; those without a hash, and those outside, are left out. */
export function parseRecord(text: string): RecordedFile[] {
  return everyLine(text).flatMap((line) => {
    const [, quoted, plain, hash, size] =
      /^(?:"((?:[^"]|"")*)"|([^",]*)),sha256=([\w-]{43}),(\d{1,15})$/.exec(line) ?? [];
    const path = quoted?.replaceAll('""', '"') ?? plain;
    if (path === undefined || hash === undefined || !staysInside(path)) return [];
    return [{ path, size: Number(size), sha256: Buffer.from(hash, "base64url").toString("hex") }];
  });
}

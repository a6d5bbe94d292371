import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createClient, type Client } from "../hub/http.ts";
import { brief } from "../hub/refusals.ts";
import { fetchStretch, sizeOf } from "../hub/stretch.ts";
import { digestOf } from "../system/digest.ts";
import { UsageError } from "../system/errors.ts";
import { makeFolder } from "../system/files.ts";
import type { FoundPackage } from "./found.ts";
import { fromWheel } from "./from-wheel.ts";
import { ACCEPT, parsePage, type IndexFile } from "./index-page.ts";
import type { Package } from "./packages.ts";
import type { IndexAddress } from "./pip-config.ts";
import { compareVersions, isIn } from "./versions.ts";
import { localBytes, NoRanges, remoteBytes, type WheelBytes } from "./wheel-bytes.ts";
import { parseWheelName, type WheelName } from "./wheel-name.ts";
import { openWheel } from "./wheel.ts";

export interface IndexOptions {
  readonly signal?: AbortSignal | undefined;
  readonly say: (line: string) => void;
  /** Of a wheel that has to be fetched as a whole before it can be read. */
  readonly onProgress?: ((done: number, total: number, what: string) => void) | undefined;
  readonly firstPauseMs?: number | undefined;
  readonly silenceMs?: number | undefined;
}

/** A Python package index, such as PyPI. */
export interface PythonIndex {
  readonly url: URL;
  readonly client: Client;
  readonly options: IndexOptions;
}

export function openIndex({ url, authorization }: IndexAddress, options: IndexOptions): PythonIndex {
  const client = createClient(
    {
      name: "the index",
      endpoint: url,
      authorization,
      refusalOf({ status, text, what, elsewhere }) {
        if (elsewhere)
          return new Error(`${what}: the index's storage answers ${status}${brief(text)}; try again later`);
        if (status === 401 || status === 403)
          return new UsageError(
            `${url.host} denies access (${status}); name and password belong into the address, https://NAME:PASSWORD@${url.host}${url.pathname}`,
          );
        if (status === 404) return new UsageError(`${url.host} has no ${what}; is ${url.href} a Python package index?`);
        return new Error(`${what}: ${url.host} answers ${status}${brief(text)}; try again later`);
      },
    },
    options,
  );
  return { url, client, options };
}

export interface WantedWheel {
  readonly range: string;
  /** Whether a wheel with such a tag will do. */
  readonly tag: RegExp;
  /** Where a wheel goes that cannot be read in parts. */
  readonly downloads: string;
}

/** A package from the index: the newest version in the range that has a wheel for the platform. @throws UsageError when it has none */
export async function fromIndex(index: PythonIndex, wanted: Package, want: WantedWheel): Promise<FoundPackage> {
  const wheel = choose(await listFiles(index, wanted.name), wanted.name, want);
  if (wheel === undefined)
    throw new UsageError(
      `${index.url.host} has no ${wanted.name}${want.range === "" ? "" : ` ${want.range}`} for ${process.platform} ${process.arch}`,
    );
  const bytes = await bytesOf(index, wheel, want.downloads);
  try {
    return fromWheel(await openWheel(bytes), wanted);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

async function listFiles({ url, client }: PythonIndex, name: string): Promise<IndexFile[]> {
  const address = new URL(url);
  address.pathname = `${url.pathname.replace(/\/$/, "")}/${name}/`;
  const { text, headers } = await client.text(address, { what: name, headers: { accept: ACCEPT } });
  return parsePage(text, headers["content-type"], address);
}

/** The newest; of several wheels of one version, for several Pythons, the first by name: their libraries differ by their builds alone. */
function choose(files: readonly IndexFile[], name: string, { range, tag }: WantedWheel): IndexFile | undefined {
  const fitting = files.flatMap((file) => {
    const parsed: WheelName | undefined = parseWheelName(file.filename);
    if (parsed?.name !== name || !parsed.platforms.some((each) => tag.test(each))) return [];
    return isIn(range, parsed.version) === true ? [{ file, version: parsed.version }] : [];
  });
  fitting.sort((a, b) => compareVersions(b.version, a.version) || (a.file.filename < b.file.filename ? -1 : 1));
  return fitting.at(0)?.file;
}

/** A wheel's bytes: parts of it where the index's server gives parts, and else the whole, which is fetched and checked first. */
async function bytesOf(
  index: PythonIndex,
  { filename, url, sha256, size }: IndexFile,
  downloads: string,
): Promise<WheelBytes> {
  const {
    client,
    options: { signal, say },
  } = index;
  try {
    const bytes = await remoteBytes(client, { filename, url }, { signal });
    if (size !== undefined && size !== bytes.size)
      throw new Error(
        `${filename}: the index tells of ${size} bytes, and its server of ${bytes.size}; try again later`,
      );
    return bytes;
  } catch (error) {
    if (!(error instanceof NoRanges)) throw error;
  }
  say(`${url.host} gives no parts of files: all of ${filename} is fetched`);
  return wholeBytes(index, { filename, url, sha256, size }, downloads);
}

async function wholeBytes(
  { client, options: { signal, onProgress } }: PythonIndex,
  { filename, url, sha256, size }: IndexFile,
  downloads: string,
): Promise<WheelBytes> {
  await makeFolder(downloads);
  const path = join(downloads, filename);
  const length = size ?? (await lengthOf(client, filename, url));
  // an earlier try may have been stopped while it was unpacked
  if ((await sizeOf(path)) !== length) {
    const onBytes = (done: number) => onProgress?.(done, length, filename);
    await fetchStretch(`${path}.part`, { client, url, what: filename, size: length, signal, onBytes });
    await rename(`${path}.part`, path);
  }
  if (sha256 !== undefined && (await digestOf(path)) !== sha256) {
    await rm(path);
    throw new Error(
      `${filename}: what was fetched has not the SHA-256 that the index gives and was thrown away; try again`,
    );
  }
  // it stays until all is installed: whoever stops, or only looks, need not fetch it again
  return { ...(await localBytes(path, { signal })), from: `${url.origin}${url.pathname}` };
}

async function lengthOf(client: Client, what: string, url: URL): Promise<number> {
  const { headers, body } = await client.open(url, { what, headers: { "accept-encoding": "identity" } });
  body.on("error", () => undefined).destroy();
  const length = Number(headers["content-length"]);
  if (!Number.isSafeInteger(length) || length <= 0)
    throw new Error(`${what}: the server says neither how long it is nor gives parts of it`);
  return length;
}

import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { Unreachable } from "./errors.ts";
import type { HubClient, JsonAnswer } from "./http.ts";
import { nameOf, type HubName } from "./names.ts";

/** A file of a model on the hub. */
export interface HubFile {
  /** Parts with "/" between, never outside of the folder. */
  readonly path: string;
  /** In bytes; of the file itself, where git has only a pointer to it. */
  readonly size: number;
  /** git's hash of what is in the repository: SHA-1 of "blob <size>\0" and the content. */
  readonly gitHash: string;
  /** SHA-256 of a large file (Git LFS). */
  readonly sha256?: string | undefined;
  readonly xetHash?: string | undefined;
}

/** All files of a commit, by their paths. */
export type Listing = ReadonlyMap<string, HubFile>;

export const SHA1 = /^[0-9a-f]{40}$/;
export const SHA256 = /^[0-9a-f]{64}$/;

const MOST_FILES = 100_000;
/** The hub's own pages hold up to 1000 names, a mirror's fewer. */
const MOST_PAGES = 1000;
/** Of all pages, and of what the cache keeps of them. */
export const MOST_LISTING_BYTES = 64 * 2 ** 20;
const PAGES_A_WORD = 20;
/** How long a listing may take, in units of the longest silence: ten minutes. */
const SILENCES_A_LISTING = 20;
/** No system takes longer paths, and matching patterns against them would take ever longer. */
const LONGEST_PATH = 1000;

const commitSchema = z.object({ sha: z.string().regex(SHA1) });
const bytes = z.int().min(0);
const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: bytes.optional(),
  oid: z.string().optional(),
  lfs: z.object({ oid: z.string().regex(SHA256), size: bytes }).nullish(),
  xetHash: z.string().nullish(),
});
const pageSchema = z.array(entrySchema);

export function isCommit(revision: string): boolean {
  return SHA1.test(revision);
}

/** The commit that a revision stands for now; a commit is itself, and no request is made. @throws NotOnHub, UsageError, Unreachable */
export async function fetchCommit(client: HubClient, name: HubName): Promise<string> {
  if (isCommit(name.revision)) return name.revision;
  const what = nameOf(name);
  const { value } = await client.json(`/api/models/${name.repo}/revision/${encodeURIComponent(name.revision)}`, {
    what,
  });
  const parsed = commitSchema.safeParse(value);
  if (!parsed.success)
    throw new ModelError(`${what}: the hub's answer names no commit; is HF_ENDPOINT a hub's address?`);
  return parsed.data.sha;
}

/**
 * The files of a commit, over as many pages as there are. Names that are no plain paths are left out: nothing reads them.
 * @throws ModelError when the pages repeat themselves, or there is more of them than a model can have
 */
export async function fetchListing(client: HubClient, name: HubName, commit: string): Promise<Listing> {
  const what = nameOf(name);
  const files = new Map<string, HubFile>();
  // directories too: a page may hold nothing else
  const seen = new Set<string>();
  const begun = performance.now();
  let total = 0;
  let page: string | URL | undefined = `/api/models/${name.repo}/tree/${commit}?recursive=true&expand=false`;
  for (let pages = 1; page !== undefined; pages++) {
    const { value, bytes, next }: JsonAnswer = await client.json(page, { what });
    total += bytes;
    const before = seen.size;
    for (const { type, path, size, oid, lfs, xetHash } of entriesOf(value, what)) {
      seen.add(path);
      if (type !== "file" || !isPlainPath(path) || size === undefined || !SHA1.test(oid ?? "")) continue;
      files.set(path, {
        path,
        size: lfs?.size ?? size,
        gitHash: oid ?? "",
        sha256: lfs?.oid,
        xetHash: xetHash ?? undefined,
      });
    }
    if (next !== undefined && seen.size === before)
      throw new ModelError(
        `${what}: the hub's listing has no end: page ${pages} names nothing new and is not the last`,
      );
    if (seen.size > MOST_FILES || pages > MOST_PAGES || total > MOST_LISTING_BYTES)
      throw new ModelError(
        `${what}: the hub's listing has no end: ${seen.size} names on ${pages} pages, expected at most ${MOST_FILES} on ${MOST_PAGES}, and ${MOST_LISTING_BYTES / 2 ** 20} MiB`,
      );
    if (performance.now() - begun > SILENCES_A_LISTING * client.silenceMs)
      throw new Unreachable(`${what}: the hub takes too long over its listing; try again later`);
    if (pages % PAGES_A_WORD === 0) client.say(`${what}: the hub lists ${seen.size} files so far`);
    page = next;
  }
  return files;
}

/** The entries of a page. A list that is too long is not looked through: each entry of a wrong form would cost memory. */
function entriesOf(value: unknown, what: string): z.infer<typeof pageSchema> {
  if (Array.isArray(value) && value.length > MOST_FILES)
    throw new ModelError(
      `${what}: the hub's listing has ${value.length} names on a page, expected at most ${MOST_FILES}`,
    );
  const parsed = pageSchema.safeParse(value);
  if (!parsed.success) throw new ModelError(`${what}: the hub's listing is not of the form that is known`);
  return parsed.data;
}

/** Whether a path stays below its folder, on every system: no "..", no drive, no backslash, no control characters. */
export function isPlainPath(path: string): boolean {
  if (path.length > LONGEST_PATH) return false;
  return path.split("/").every((part) => /^[^\\:*?"<>|\x00-\x1f\x7f]+$/.test(part) && part !== "." && part !== "..");
}

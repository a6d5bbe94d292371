import { z } from "zod";
import { ModelError } from "../tensor/errors.ts";
import type { HubClient } from "./http.ts";
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

const SHA1 = /^[0-9a-f]{40}$/;
export const SHA256 = /^[0-9a-f]{64}$/;
const MOST_FILES = 100_000;

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

/** The files of a commit, over as many pages as there are. Names that are no plain paths are left out: nothing reads them. */
export async function fetchListing(client: HubClient, name: HubName, commit: string): Promise<Listing> {
  const what = nameOf(name);
  const files = new Map<string, HubFile>();
  let page: string | URL | undefined = `/api/models/${name.repo}/tree/${commit}?recursive=true&expand=false`;
  while (page !== undefined) {
    const { value, next }: { value: unknown; next: URL | undefined } = await client.json(page, { what });
    const parsed = pageSchema.safeParse(value);
    if (!parsed.success) throw new ModelError(`${what}: the hub's listing is not of the form that is known`);
    const before = files.size;
    for (const { type, path, size, oid, lfs, xetHash } of parsed.data) {
      if (type !== "file" || !isPlainPath(path) || size === undefined || !SHA1.test(oid ?? "")) continue;
      files.set(path, {
        path,
        size: lfs?.size ?? size,
        gitHash: oid ?? "",
        sha256: lfs?.oid,
        xetHash: xetHash ?? undefined,
      });
    }
    if (files.size > MOST_FILES || (next !== undefined && parsed.data.length === 0 && files.size === before))
      throw new ModelError(`${what}: the hub's listing has no end`);
    page = next;
  }
  return files;
}

/** Whether a path stays below its folder, on every system: no "..", no drive, no backslash, no control characters. */
export function isPlainPath(path: string): boolean {
  return path.split("/").every((part) => /^[^\\:*?"<>|\x00-\x1f\x7f]+$/.test(part) && part !== "." && part !== "..");
}

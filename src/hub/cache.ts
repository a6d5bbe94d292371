import { copyFile, link, readdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { cannotWrite, makeFolder, writeFileAtomic } from "../system/files.ts";
import { parseJson } from "../system/json.ts";
import { removeLeftovers, temporaryPath } from "../system/leftovers.ts";
import { MOST_BYTES, readText } from "../system/regular-files.ts";
import { isCommit, isPlainPath, MOST_LISTING_BYTES, type HubFile, type Listing } from "./listing.ts";

/**
 * The cache that all of Hugging Face's tools share (https://huggingface.co/docs/huggingface_hub/guides/manage-cache):
 *
 * models--owner--name/refs/main            the commit that the branch was at
 * models--owner--name/snapshots/COMMIT/... links to blobs, under the files' names
 * models--owner--name/blobs/ETAG           the contents: ETAG is the SHA-256 of a large file, git's hash of a small one
 * models--owner--name/trees/COMMIT.json    the listing of a commit (huggingface_hub 2)
 */
export interface RepoCache {
  readonly folder: string;
  /** A commit's files. */
  snapshot(commit: string): string;
  blob(file: HubFile): string;
  /** Where the marks of running downloads are, beside those of Python's tools. */
  lock(file: HubFile): string;
}

export function repoCache(cache: string, repo: string): RepoCache {
  const name = `models--${repo.replace("/", "--")}`;
  const folder = join(cache, name);
  return {
    folder,
    snapshot: (commit) => join(folder, "snapshots", commit),
    blob: (file) => join(folder, "blobs", etagOf(file)),
    lock: (file) => join(cache, ".locks", name, `${etagOf(file)}.rpo.lock`),
  };
}

function etagOf({ sha256, gitHash }: HubFile): string {
  return sha256 ?? gitHash;
}

/** "owner/name" of a folder that is a snapshot in a cache. */
export function repoOfSnapshot(folder: string): { readonly repo: string; readonly commit: string } | undefined {
  const found = /(?:^|[\\/])models--([\w.-]+?)--([\w.-]+)[\\/]snapshots[\\/]([0-9a-f]{40})[\\/]?$/.exec(folder);
  return found === null ? undefined : { repo: `${found[1]}/${found[2]}`, commit: found[3] };
}

/** What the cache that a snapshot is in has of its repository. */
export function cacheOfSnapshot(folder: string): Pick<RepoCache, "folder"> {
  return { folder: dirname(dirname(resolve(folder))) };
}

/** The commit that a revision was at when it was last looked up; a commit is itself. */
export async function readRef({ folder }: Pick<RepoCache, "folder">, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const text = await readText(join(folder, "refs", revision), { atMost: MOST_BYTES.word }).catch(() => "");
  return isCommit(text.trim()) ? text.trim() : undefined;
}

/** The revisions of that kind, such as `refs/pr`, that were looked up before. */
export async function knownRefs({ folder }: RepoCache, kind: string): Promise<string[]> {
  const names = await readdir(join(folder, "refs", kind)).catch((): string[] => []);
  return names.filter((name) => /^\w+$/.test(name)).map((name) => `${kind}/${name}`);
}

export async function writeRef(cache: RepoCache, revision: string, commit: string): Promise<void> {
  // a cache that is complete may be read-only
  if (isCommit(revision) || (await readRef(cache, revision)) === commit) return;
  const path = join(cache.folder, "refs", revision);
  await makeFolder(dirname(path));
  await writeFileAtomic(path, commit);
}

const treeSchema = z.object({
  format_version: z.literal(1),
  files: z.record(
    z.string(),
    z.object({
      size: z.int().min(0),
      blob_id: z.string().regex(/^[0-9a-f]{40}$/),
      lfs_sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullish(),
      lfs_size: z.int().min(0).nullish(),
      xet_hash: z.string().nullish(),
    }),
  ),
});

/** The listing of a commit that was looked up before; undefined where there is none of a known form. */
export async function readTree({ folder }: RepoCache, commit: string): Promise<Listing | undefined> {
  const text = await readText(treePath(folder, commit), { atMost: MOST_LISTING_BYTES }).catch(() => "");
  let parsed;
  try {
    parsed = treeSchema.safeParse(parseJson(text));
  } catch {
    return undefined;
  }
  if (!parsed.success) return undefined;
  const files = Object.entries(parsed.data.files).filter(([path]) => isPlainPath(path));
  return new Map(
    files.map(([path, { size, blob_id: gitHash, lfs_sha256: sha256, lfs_size: lfsSize, xet_hash: xetHash }]) => [
      path,
      { path, size: lfsSize ?? size, gitHash, sha256: sha256 ?? undefined, xetHash: xetHash ?? undefined },
    ]),
  );
}

export async function writeTree({ folder }: RepoCache, commit: string, listing: Listing): Promise<void> {
  const files = Object.fromEntries(
    [...listing.values()]
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, size, gitHash, sha256, xetHash }) => [
        path,
        {
          size,
          blob_id: gitHash,
          ...(sha256 !== undefined && { lfs_sha256: sha256, lfs_size: size }),
          ...(xetHash !== undefined && { xet_hash: xetHash }),
        },
      ]),
  );
  await makeFolder(dirname(treePath(folder, commit)));
  // without spaces it is never longer than what the hub sent, and can be read again
  await writeFileAtomic(treePath(folder, commit), JSON.stringify({ format_version: 1, files }));
}

function treePath(folder: string, commit: string): string {
  return join(folder, "trees", `${commit}.json`);
}

/** As version 0.1.0 named links that it was making. */
const LINK = /^.+\.\d+-\d+\.tmp$/;

/** Puts a content under its name in a snapshot, whatever was there: a relative link, or what the system has instead. */
export async function linkBlob(blob: string, path: string): Promise<void> {
  await makeFolder(dirname(path));
  await removeLeftovers(dirname(path), (name) => LINK.test(name));
  const temporary = await temporaryPath(path);
  try {
    // Windows lets few people make symbolic links
    await symlink(relative(dirname(path), blob), temporary)
      .catch(() => link(blob, temporary))
      .catch(() => copyFile(blob, temporary));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannotWrite(path, error);
  }
}

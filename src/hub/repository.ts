import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { UsageError } from "../tensor/errors.ts";
import { isThere, linkBlob, readRef, readTree, repoCache, writeRef, writeTree, type RepoCache } from "./cache.ts";
import { fetchBlob } from "./download.ts";
import { NotOnHub } from "./errors.ts";
import type { HubClient } from "./http.ts";
import { fetchCommit, fetchListing, type HubFile, type Listing } from "./listing.ts";
import { nameOf, type HubName } from "./names.ts";

/** One commit of a model, on the hub or in the cache alone. */
export interface Repository {
  readonly name: HubName;
  readonly cache: RepoCache;
  /** The snapshot's folder, which holds what has been fetched. */
  readonly folder: string;
  /** Of all files of the commit, or of those in the cache. */
  readonly paths: readonly string[];
  /** Everything that is known of them; undefined where the cache has files and no listing. */
  readonly listing: Listing | undefined;
  /** Those that are not in the folder yet. @throws UsageError when they are not there either, or there is no hub to ask */
  lacking(paths: readonly string[]): Promise<HubFile[]>;
  /** Brings a file into the folder. */
  fetch(file: HubFile, onBytes?: (done: number) => void): Promise<void>;
  /** Notes the commit, once all is there that was wanted of it. */
  keep(): Promise<void>;
}

export interface Context {
  /** The folder with `models--owner--name`. */
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly say: (line: string) => void;
}

/** A revision as the hub has it now. A commit whose listing is known needs no request. @throws NotOnHub, UsageError, Unreachable */
export async function openOnHub(client: HubClient, name: HubName, context: Context): Promise<Repository> {
  const cache = repoCache(context.cache, name.repo);
  const commit = await fetchCommit(client, name);
  const known = await readTree(cache, commit);
  return repositoryAt(client, { name, commit, listing: known ?? (await fetchListing(client, name, commit)) }, context);
}

/** A commit whose files are known. */
export function repositoryAt(
  client: HubClient,
  { name, commit, listing }: { readonly name: HubName; readonly commit: string; readonly listing: Listing },
  { cache: root, signal, say }: Context,
): Repository {
  const cache = repoCache(root, name.repo);
  const folder = cache.snapshot(commit);
  return {
    name,
    cache,
    folder,
    paths: [...listing.keys()],
    listing,
    async lacking(paths) {
      const files: HubFile[] = [];
      for (const path of paths) {
        const file = listing.get(path);
        if (file === undefined) throw new NotOnHub(`${nameOf(name)}: the hub has no ${path} in it`);
        if (!(await isThere(join(folder, path), file.size))) files.push(file);
      }
      return files;
    },
    async fetch(file, onBytes) {
      await fetchBlob({ client, cache, name, commit, file, signal, onBytes, say });
      await linkBlob(cache.blob(file), join(folder, file.path));
    },
    async keep() {
      // a cache that others fill may be read-only
      if ((await readTree(cache, commit)) === undefined) await writeTree(cache, commit, listing).catch(() => undefined);
      await writeRef(cache, name.revision, commit).catch(() => undefined);
    },
  };
}

/** A revision as the cache has it, without any request. @throws UsageError when it has not */
export async function openInCache(name: HubName, { cache: root }: Pick<Context, "cache">): Promise<Repository> {
  const cache = repoCache(root, name.repo);
  const commit = await readRef(cache, name.revision);
  const folder = cache.snapshot(commit ?? "none");
  const present = commit === undefined ? [] : await filesBelow(folder);
  if (present.length === 0) throw new NotOnHub(`${nameOf(name)} is not in the cache ${root}`);
  const listing = commit === undefined ? undefined : await readTree(cache, commit);
  return {
    name,
    cache,
    folder,
    paths: listing === undefined ? present : [...listing.keys()],
    listing,
    async lacking(paths) {
      const missing: string[] = [];
      for (const path of paths) if (!(await isThere(join(folder, path), listing?.get(path)?.size))) missing.push(path);
      if (missing.length > 0)
        throw new UsageError(
          `${nameOf(name)}: the cache ${root} lacks ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? `, and ${missing.length - 3} more` : ""}`,
        );
      return [];
    },
    fetch: () => Promise.reject(new Error("nothing is fetched from a cache")),
    keep: () => Promise.resolve(),
  };
}

/** Paths of the files below a folder, links to files among them. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join("/"))
    .sort();
}

import { stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { UsageError } from "../system/errors.ts";
import { entriesBelow } from "../system/folder-tree.ts";
import { linkBlob, readRef, readTree, repoCache, writeRef, writeTree, type RepoCache } from "./cache.ts";
import { checkedContents, type Checked } from "./checked.ts";
import { fetchBlob, PARTIAL } from "./download.ts";
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
  /** How much of a file's content is in the cache, whole or in part. */
  bytesThere(file: HubFile): Promise<number>;
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
  const checked = checkedContents(cache.folder, { signal, say });
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
        const condition = await checked.conditionOf(join(folder, path), file);
        if (condition === "damaged") say(`${nameOf(name)}: ${path} in the cache is damaged, and is fetched again`);
        if (condition !== "whole") files.push(file);
      }
      return files;
    },
    bytesThere: (file) => bytesThere(cache.blob(file), file, checked),
    async fetch(file, onBytes) {
      await fetchBlob({ client, cache, checked, name, commit, file, signal, onBytes, say });
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
export async function openInCache(name: HubName, { cache: root, signal, say }: Context): Promise<Repository> {
  const cache = repoCache(root, name.repo);
  const commit = await readRef(cache, name.revision);
  const folder = cache.snapshot(commit ?? "none");
  const present = commit === undefined ? [] : await filesBelow(folder);
  if (present.length === 0) throw new NotOnHub(`${nameOf(name)} is not in the cache ${root}`);
  const listing = commit === undefined ? undefined : await readTree(cache, commit);
  const checked = checkedContents(cache.folder, { signal, say });
  return {
    name,
    cache,
    folder,
    paths: listing === undefined ? present : [...listing.keys()],
    listing,
    async lacking(paths) {
      const missing: string[] = [];
      for (const path of paths) {
        const condition = await checked.conditionOf(join(folder, path), listing?.get(path));
        if (condition === "damaged")
          throw new UsageError(
            `${nameOf(name)}: ${path} in the cache ${root} is damaged: it has not the size and the hash that it should have; delete it, and have it fetched again`,
          );
        if (condition === "missing") missing.push(path);
      }
      if (missing.length > 0)
        throw new UsageError(
          `${nameOf(name)}: the cache ${root} lacks ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? `, and ${missing.length - 3} more` : ""}`,
        );
      return [];
    },
    bytesThere: (file) => Promise.resolve(file.size),
    fetch: () => Promise.reject(new Error("nothing is fetched from a cache")),
    keep: () => Promise.resolve(),
  };
}

/** A damaged content is no part of the whole one. */
async function bytesThere(blob: string, file: HubFile, checked: Checked): Promise<number> {
  if ((await checked.conditionOf(blob, file)) === "whole") return file.size;
  const partial = await stat(blob + PARTIAL).catch(() => undefined);
  return Math.min(partial?.size ?? 0, file.size);
}

/** Paths of the files below a folder, links to files among them. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await entriesBelow(folder).catch(() => []);
  return entries
    .filter(({ entry }) => !entry.isDirectory())
    .map(({ path }) => relative(folder, path).split(sep).join("/"))
    .sort();
}

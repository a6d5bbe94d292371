import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readJson } from "../system/files.ts";
import { isRecord } from "../system/json.ts";
import { repoCache } from "./cache.ts";
import { nameOf, parseHubName } from "./names.ts";

/** A repository in the cache that all of Hugging Face's tools share. */
export interface CachedModel {
  /** "owner/name", or with a revision where only others than the usual one are there: "owner/name@fp16". */
  readonly name: string;
  /** `model`: a diffusers pipeline. `reward`: an ALIGN model. */
  readonly kind: "model" | "reward" | "other";
  /** Of all its files; links count nothing. */
  readonly bytes: number;
  /** Whether something of it is only half fetched. */
  readonly isPartial: boolean;
}

/** Repositories that are looked at. */
const MOST = 1000;

/** The models in a cache, by their names; none where there is no cache. */
export async function modelsInCache(cache: string): Promise<CachedModel[]> {
  const folders = await readdir(cache).catch((): string[] => []);
  const found: CachedModel[] = [];
  for (const folder of folders.sort().slice(0, MOST)) {
    const [, owner, name] = /^models--([\w.-]+?)--([\w.-]+)$/.exec(folder) ?? [];
    if (owner === undefined || name === undefined || parseHubName(`${owner}/${name}`) === undefined) continue;
    const model = await modelOf(cache, `${owner}/${name}`);
    if (model !== undefined) found.push(model);
  }
  return found;
}

/** Nothing where no commit of it was ever fetched. */
async function modelOf(cache: string, repo: string): Promise<CachedModel | undefined> {
  const own = repoCache(cache, repo);
  const { folder } = own;
  const commits = await readdir(join(folder, "snapshots")).catch((): string[] => []);
  const refs = await readdir(join(folder, "refs")).catch((): string[] => []);
  if (commits.length === 0) return undefined;
  const revision = refs.includes("main") || refs.length === 0 ? "main" : refs.sort()[0];
  const { bytes, isPartial } = await filesOf(folder);
  const kinds = await Promise.all(commits.map((commit) => kindOf(own.snapshot(commit))));
  const kind = kinds.find((each) => each !== "other") ?? "other";
  return { name: nameOf({ repo, revision }), kind, bytes, isPartial };
}

async function filesOf(folder: string): Promise<{ bytes: number; isPartial: boolean }> {
  const all = { bytes: 0, isPartial: false };
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const { bytes, isPartial } = await filesOf(path);
      all.bytes += bytes;
      all.isPartial ||= isPartial;
    } else if (entry.isFile()) {
      all.bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
      all.isPartial ||= entry.name.endsWith(".incomplete");
    }
  }
  return all;
}

/** What a snapshot is, by the file that says it. */
async function kindOf(snapshot: string): Promise<CachedModel["kind"]> {
  const index = await readJson(join(snapshot, "model_index.json")).catch(() => undefined);
  if (isRecord(index) && /^StableDiffusion/.test(String(index["_class_name"]))) return "model";
  const config = await readJson(join(snapshot, "config.json")).catch(() => undefined);
  return isRecord(config) && config["model_type"] === "align" ? "reward" : "other";
}

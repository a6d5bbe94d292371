import { bytesText } from "../system/bytes-text.ts";
import { freeBytesAt } from "../system/disk.ts";
import { UsageError } from "../system/errors.ts";
import { knownRefs } from "./cache.ts";
import { findConverted, hasSamePickles, pickleAdvice } from "./converted.ts";
import { NotOnHub, Unreachable } from "./errors.ts";
import { createHubClient, type HubClient } from "./http.ts";
import { nameOf, type HubName } from "./names.ts";
import { planModel, type OnlyPickles, type Plan, type WantedFiles } from "./plan.ts";
import { openInCache, openOnHub, repositoryAt, type Context, type Repository } from "./repository.ts";
import type { HubSettings } from "./settings.ts";

export interface WantedModel extends WantedFiles {
  readonly name: HubName;
  /** Says what was asked for in an error about it. */
  readonly explain?: ((error: UsageError) => UsageError) | undefined;
}

export interface FetchOptions {
  readonly settings: HubSettings;
  readonly signal?: AbortSignal | undefined;
  /** Told in a line what people should know. */
  readonly say: (line: string) => void;
  /** Bytes of all weights together, and the file that comes now. */
  readonly onProgress?: ((done: number, total: number, path: string) => void) | undefined;
  /** Default: what the file system says. */
  readonly freeBytes?: ((folder: string) => Promise<number>) | undefined;
  readonly firstPauseMs?: number | undefined;
  readonly silenceMs?: number | undefined;
}

/** What is fetched of a model: the commit, and one of the same weights in safetensors where it has none itself. */
interface Planned extends Plan {
  readonly original: Repository;
}

/**
 * Brings models into the cache that Hugging Face's tools share: what is needed of them and is not there yet.
 *
 * All configurations come first and are looked at, and there must be room for all weights, before the first of them is fetched.
 *
 * @returns their folders, in the order of `wanted`
 * @throws UsageError (NotOnHub among them) for what cannot be had, Unreachable when the network is at fault and the cache is not enough,
 * ModelError for files that are not what they should be, DownloadStopped
 */
export async function fetchModels(wanted: readonly WantedModel[], options: FetchOptions): Promise<string[]> {
  const { settings, signal, say } = options;
  const context: Context = { cache: settings.cache, signal, say };
  const client = createHubClient(options);
  try {
    const plans: Planned[] = [];
    for (const model of wanted)
      plans.push(
        await plan(client, model, context, settings.offline).catch((error: unknown) => {
          throw error instanceof UsageError ? (model.explain?.(error) ?? error) : error;
        }),
      );
    await fetchWeights(plans, options);
    for (const { repository, original } of plans) {
      await original.keep();
      await repository.keep();
    }
    return plans.map(({ repository }) => repository.folder);
  } finally {
    await client.close();
  }
}

async function plan(client: HubClient, model: WantedModel, context: Context, offline: boolean): Promise<Planned> {
  const { name } = model;
  if (offline)
    return planInCache(model, context).catch((error: unknown) => {
      if (!(error instanceof UsageError)) throw error;
      const Failure = error instanceof NotOnHub ? NotOnHub : UsageError;
      throw new Failure(`${error.message}, and HF_HUB_OFFLINE is set`);
    });
  try {
    return await planOnHub(client, model, context);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    const cached = await planInCache(model, context).catch((reason: unknown) => {
      throw reason instanceof UsageError
        ? new Unreachable(`${error.message}; ${reason.message}`, { cause: error })
        : reason;
    });
    context.say(`${error.message}; ${nameOf(name)} is taken from the cache as it is`);
    return cached;
  }
}

async function planOnHub(client: HubClient, model: WantedModel, context: Context): Promise<Planned> {
  const original = await openOnHub(client, model.name, context);
  const found = await planModel(original, model);
  if (!isOnlyPickles(found)) return { ...found, original };
  if (original.listing !== undefined)
    for await (const converted of findConverted(client, model.name, original.listing)) {
      const repository = repositoryAt(client, converted, context);
      const again = await planModel(repository, model);
      if (isOnlyPickles(again)) continue;
      context.say(
        `${nameOf(model.name)} holds only pickle files; ${converted.name.revision}, where the hub's converter made safetensors of them, is taken instead`,
      );
      return { ...again, original };
    }
  throw new UsageError(pickleAdvice(model.name, found.pickle, found.pythonClass));
}

async function planInCache(model: WantedModel, context: Context): Promise<Planned> {
  const original = await openInCache(model.name, context);
  const found = await planModel(original, model);
  if (!isOnlyPickles(found)) return { ...found, original };
  for (const revision of await knownRefs(original.cache, "refs/pr")) {
    const repository = await openInCache({ repo: model.name.repo, revision }, context).catch(() => undefined);
    if (repository?.listing === undefined || original.listing === undefined) continue;
    if (!hasSamePickles(original.listing, repository.listing)) continue;
    const again = await planModel(repository, model);
    if (!isOnlyPickles(again)) return { ...again, original };
  }
  throw new UsageError(pickleAdvice(model.name, found.pickle, found.pythonClass));
}

function isOnlyPickles(found: Plan | OnlyPickles): found is OnlyPickles {
  return "pickle" in found;
}

async function fetchWeights(
  plans: readonly Plan[],
  { settings, say, onProgress, freeBytes = freeBytesAt }: FetchOptions,
): Promise<void> {
  const jobs = plans.flatMap(({ repository, weights }) => weights.map((file) => ({ repository, file })));
  if (jobs.length === 0) return;
  const total = jobs.reduce((sum, { file }) => sum + file.size, 0);
  let there = 0;
  for (const { repository, file } of jobs) there += await repository.bytesThere(file);
  const free = await freeBytes(settings.cache);
  if (total - there > free)
    throw new UsageError(
      `${settings.cache}: ${bytesText(total - there)} are to be fetched and ${bytesText(free)} are free; make room, or set HF_HUB_CACHE to a folder on another disk`,
    );
  for (const { repository, weights } of plans) {
    const size = weights.reduce((sum, file) => sum + file.size, 0);
    if (size > 0) say(`${nameOf(repository.name)}: fetching ${bytesText(size)} into ${repository.cache.folder}`);
  }
  let before = 0;
  for (const { repository, file } of jobs) {
    await repository.fetch(file, (done) => onProgress?.(before + done, total, file.path));
    before += file.size;
    onProgress?.(before, total, file.path);
  }
}

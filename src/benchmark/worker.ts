import { realpath } from "node:fs/promises";
import { checkFolder } from "../commands/paths.ts";
import { runTask } from "../engine/host.ts";
import { checkRedis, parseRedisUrl, type RedisAddress } from "../queue/redis-connection.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { WORKER } from "../settings/worker.ts";
import { startRedisWorker, type RedisWorkerOptions } from "../queue/redis-worker.ts";
import { benchPerformer } from "./tasks/perform.ts";
import type { TaskReference } from "./tasks/tasks.ts";

/** A worker as `rpo worker` is asked for it. */
export interface WorkerRequest {
  readonly address: RedisAddress;
  /** Jobs at a time. */
  readonly concurrency: number;
  /** Of each job. */
  readonly threads: number;
  /** The only folder, links resolved, whose benchmarks are worked on. */
  readonly root: string | undefined;
}

/** @throws UsageError naming what is wrong, a Redis that does not answer among it */
export async function resolveWorker(given: GivenSettings): Promise<WorkerRequest> {
  const { redis, root, ...rest } = parseTable(WORKER, given);
  if (root !== undefined) await checkFolder("root", root, "the folder whose benchmarks are to be served");
  const address = parseRedisUrl(redis);
  await checkRedis(address);
  return { ...rest, address, root: root === undefined ? undefined : await realpath(root) };
}

/** Takes a benchmark's jobs from a Redis. @returns what ends it */
export function startWorker(
  { address, concurrency, threads, root }: WorkerRequest,
  listeners: Pick<RedisWorkerOptions<TaskReference, null>, "machine" | "say" | "onJob">,
): ReturnType<typeof startRedisWorker> {
  const perform = benchPerformer({ threads, root, run: runTask });
  return startRedisWorker<TaskReference, null>({ address, concurrency, perform, ...listeners });
}

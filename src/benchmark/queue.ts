import { runTask } from "../engine/host.ts";
import { createLocalQueue } from "../queue/local.ts";
import type { JobQueue } from "../queue/queue.ts";
import type { RedisAddress } from "../queue/redis-connection.ts";
import { createRedisQueue } from "../queue/redis-queue.ts";
import { benchPerformer, machineName } from "./tasks/perform.ts";
import type { TaskReference } from "./tasks/tasks.ts";

/** The queue of a benchmark: on a Redis, from which workers take its jobs, or in this process, which does them itself. */
export function openBenchQueue({
  address,
  threads,
  say,
}: {
  readonly address: RedisAddress | undefined;
  readonly threads: number;
  readonly say: (line: string) => void;
}): JobQueue<TaskReference, null> {
  if (address !== undefined) return createRedisQueue({ address, say });
  return createLocalQueue({ perform: benchPerformer({ threads, run: runTask }), machine: machineName() });
}

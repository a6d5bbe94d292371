import { join, resolve } from "node:path";
import { z } from "zod";
import { jobStatusSchema } from "../queue/outside.ts";
import type { JobStatus } from "../queue/queue.ts";
import { checkRedis, parseRedisUrl } from "../queue/redis-connection.ts";
import { createRedisQueue } from "../queue/redis-queue.ts";
import { UsageError } from "../system/errors.ts";
import { exists, readJson } from "../system/files.ts";
import { parseAs } from "../system/json.ts";
import { isLocked } from "../system/lock.ts";
import { wholeFrom } from "../system/numbers.ts";
import { STATUS_FILE } from "./files.ts";
import { keyOfWork } from "./tasks/tasks.ts";

/** Where a benchmark stands: status.json. */
export interface BenchStatus {
  readonly time: string;
  readonly rows: { readonly done: number; readonly total: number };
  readonly jobs: readonly JobStatus[];
}

/** A subject's rows are dozens. */
const MOST_ROWS = 1e9;

const statusSchema: z.ZodType<BenchStatus> = z.object({
  time: z.string(),
  rows: z.object({ done: wholeFrom(0, MOST_ROWS), total: wholeFrom(0, MOST_ROWS) }),
  jobs: z.array(jobStatusSchema),
});

/** Where a benchmark stood when it last wrote so. @throws UsageError when none has begun, or the file is damaged */
export async function readStatus(output: string): Promise<BenchStatus> {
  const path = join(output, STATUS_FILE);
  if (!(await exists(path))) throw new UsageError(`${output}: no benchmark has begun here (expected ${STATUS_FILE})`);
  return parseAs(statusSchema, await readJson(path, UsageError), path, UsageError);
}

/** The beginning of the ids of a benchmark's jobs. */
export function jobPrefix(output: string): string {
  return `${keyOfWork(output)}.`;
}

/** A status, and whether nothing works on the benchmark. */
export interface CurrentStatus extends BenchStatus {
  readonly stopped: boolean;
}

/**
 * What a benchmark wrote last, or with the URL of a Redis what its queue says now.
 * @throws UsageError when none has begun, or there is no such Redis
 */
export async function currentStatus(
  output: string,
  { redis, say }: { readonly redis: string | undefined; readonly say: (line: string) => void },
): Promise<CurrentStatus> {
  const written = await readStatus(output);
  if (redis === undefined) return { ...written, stopped: !(await isLocked(output)) };
  return { ...written, time: new Date().toISOString(), jobs: await jobsOn(redis, output, say), stopped: false };
}

async function jobsOn(redis: string, output: string, say: (line: string) => void): Promise<JobStatus[]> {
  const address = parseRedisUrl(redis);
  await checkRedis(address);
  const queue = createRedisQueue({ address, say });
  try {
    return await queue.list(jobPrefix(resolve(output)));
  } finally {
    await queue.close();
  }
}

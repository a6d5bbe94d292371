import { realpath } from "node:fs/promises";
import { z } from "zod";
import { benchPerformer, machineName } from "../benchmark/tasks/perform.ts";
import type { TaskReference } from "../benchmark/tasks/tasks.ts";
import { runTask } from "../engine/host.ts";
import { checkRedis, parseRedisUrl } from "../queue/redis-connection.ts";
import { startRedisWorker } from "../queue/redis-worker.ts";
import { printable } from "../system/printable.ts";
import { VERSION } from "../system/version.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { fields, parseSettings, type GivenSettings } from "../commands/options.ts";
import { checkFolder } from "../commands/paths.ts";

const schema = z.strictObject({
  redis: fields.text,
  concurrency: fields.integer(1, 256).default(1),
  threads: fields.threads,
  root: fields.text.optional(),
});

/** `rpo worker`: takes jobs from a Redis until it is interrupted, and then gives back what it is at. @returns the exit code */
export async function workerCommand(given: GivenSettings, { json }: { readonly json: boolean }): Promise<number> {
  const { redis, concurrency, threads, root: only } = parseSettings(schema, given);
  if (only !== undefined) await checkFolder("--root", only, "the folder whose benchmarks are to be served");
  const root = only === undefined ? undefined : await realpath(only);
  const address = parseRedisUrl(redis);
  await checkRedis(address);
  const say = (line: string) => process.stderr.write(`${printable(line)}\n`);
  const interrupt = onInterrupt(say, () => undefined);
  const machine = machineName();
  const worker = startRedisWorker<TaskReference, null>({
    address,
    concurrency,
    machine,
    perform: benchPerformer({ threads, root, run: runTask }),
    say,
    onJob(label, event, detail) {
      if (json) process.stdout.write(`${JSON.stringify({ type: "job", label, event, detail })}\n`);
      say(`${label}: ${event}${detail === undefined ? "" : `: ${detail}`}`);
    },
  });
  say(
    `${machine} (rpo ${VERSION}) takes jobs from ${address.name}, ${concurrency} at a time, ${threads} threads each${root === undefined ? "" : `, of benchmarks below ${root}`}; Ctrl-C ends it`,
  );
  try {
    await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
    // what still waits for a Redis that is away would keep the process
    if (!(await worker.close())) process.exit(EXIT.done);
  } finally {
    interrupt.release();
  }
  return EXIT.done;
}

import { machineName } from "../benchmark/tasks/perform.ts";
import { resolveWorker, startWorker } from "../benchmark/worker.ts";
import type { GivenSettings } from "../settings/parse.ts";
import { printable } from "../system/printable.ts";
import { VERSION } from "../system/version.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";

/** `rpo worker`: takes jobs from a Redis until it is interrupted, and then gives back what it is at. @returns the exit code */
export async function workerCommand(given: GivenSettings, { json }: { readonly json: boolean }): Promise<number> {
  const request = await resolveWorker(given);
  const { address, concurrency, threads, root } = request;
  const say = (line: string) => process.stderr.write(`${printable(line)}\n`);
  const interrupt = onInterrupt(say, () => undefined);
  const machine = machineName();
  const worker = startWorker(request, {
    machine,
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

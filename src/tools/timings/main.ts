import { parseArgs } from "node:util";
import { DEVICES, PRECISIONS, PRECISIONS_OF } from "../../runtime/device.ts";
import { withResources } from "../../runtime/resources.ts";
import { UsageError } from "../../system/errors.ts";
import { countOf, oneOf, runTool } from "../arguments.ts";
import type { TimingOptions } from "./work.ts";
import { rounded } from "./rounded.ts";
import { works, type WorkName } from "./works.ts";

const USAGE = `usage: npm run --silent bench -- WORK CHECKPOINT [--repeat 3] [--memory normal|low] [--threads 2]
         [--device ${DEVICES.join("|")}] [--precision ${PRECISIONS.join("|")}]
WORK: ${Object.keys(works).join(", ")}`;

interface Request extends TimingOptions {
  readonly work: WorkName;
  readonly repeat: number;
}

/**
 * Times one piece of RPO's work, once to warm up and then `repeat` times, and prints
 * `{"work", "seconds": [...], "rss_gb"}` as the last line: seconds of each repeat, and the process's peak memory in 10⁹ bytes.
 */
async function main({ work, repeat, ...options }: Request): Promise<void> {
  const seconds: number[] = [];
  await withResources(async (own) => {
    const timed = own(await works[work](options));
    await timed.run();
    for (let i = 0; i < repeat; i++) {
      const start = performance.now();
      await timed.run();
      seconds.push(rounded((performance.now() - start) / 1000, 4));
    }
  });
  // maxRSS counts KiB, and the peer's figure divides it by 10⁶ just so
  const rss_gb = rounded(process.resourceUsage().maxRSS / 1e6, 2);
  process.stdout.write(`${JSON.stringify({ work, seconds, rss_gb })}\n`);
}

/** @throws UsageError */
function parseRequest(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      repeat: { type: "string", default: "3" },
      memory: { type: "string", default: "normal" },
      threads: { type: "string", default: "2" },
      device: { type: "string", default: "cpu" },
      precision: { type: "string" },
    },
  });
  const [name, checkpoint] = positionals;
  if (positionals.length !== 2 || !isWork(name)) throw new UsageError("expected WORK and CHECKPOINT");
  const device = oneOf("--device", values.device, DEVICES);
  const precision = oneOf("--precision", values.precision ?? PRECISIONS_OF[device][0], PRECISIONS);
  return {
    work: name,
    checkpoint,
    memory: oneOf("--memory", values.memory, ["normal", "low"]),
    repeat: countOf("--repeat", values.repeat),
    session: { threads: countOf("--threads", values.threads), device, precision },
  };
}

function isWork(name: string): name is WorkName {
  return Object.hasOwn(works, name);
}

await runTool(USAGE, parseRequest, main);

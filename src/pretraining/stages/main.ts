import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BACKENDS } from "../../runtime/backends/index.ts";
import { DEVICES, PRECISIONS_OF } from "../../runtime/device.ts";
import { UsageError } from "../../system/errors.ts";
import type { StageContext } from "./stage.ts";
import { isStage, stages, type StageName } from "./stages.ts";
import { saidBy } from "../../system/said-by.ts";

const USAGE = `usage: npm run --silent pretrain -- STAGE|all [--work .pretrain] [--models models/tiny] [--threads 2] [--device cpu] [--steps N]
STAGE: ${Object.keys(stages).join(", ")}
DEVICE: ${DEVICES.join(", ")}; the embedded models were made with cpu.
Everything is resumable: what is done already in the work folder is not done again.`;

/** Makes the embedded models, stage by stage. */
async function main(args: readonly string[]): Promise<number> {
  const { names, context } = parseRequest(args);
  await mkdir(context.work, { recursive: true });
  for (const name of names) {
    process.stderr.write(`${name}\n`);
    const done = await stages[name](context).catch((error: unknown) => {
      if (context.shouldStop()) return false;
      throw error;
    });
    if (context.shouldStop()) return 130;
    if (!done) return 1;
  }
  return 0;
}

/** @throws UsageError */
function parseRequest(args: readonly string[]): { names: readonly StageName[]; context: StageContext } {
  const { values, positionals } = parseFlags(args);
  const [stage] = positionals;
  if (positionals.length !== 1 || (stage !== "all" && !isStage(stage))) throw new UsageError("expected a STAGE or all");
  return {
    names: stage === "all" ? (Object.keys(stages) as StageName[]) : [stage],
    context: {
      work: values.work,
      models: values.models,
      session: { threads: countOf("--threads", values.threads), ...machineOf(values.device) },
      steps: values.steps === undefined ? undefined : countOf("--steps", values.steps),
      shouldStop: stopOnSignal(),
      log: (line) => void process.stderr.write(`${line}\n`),
      print: (line) => void process.stdout.write(`${line}\n`),
    },
  };
}

/** @throws UsageError on a flag that is unknown or lacks its value */
function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        work: { type: "string", default: ".pretrain" },
        models: { type: "string", default: join("models", "tiny") },
        threads: { type: "string", default: "2" },
        device: { type: "string", default: "cpu" },
        steps: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError(saidBy(error), { cause: error });
  }
}

/** The device in its default precision. @throws UsageError when there is no such device, or it is not there */
function machineOf(name: string) {
  const device = DEVICES.find((each) => each === name);
  if (device === undefined) throw new UsageError(`--device ${name}: expected ${DEVICES.join(", ")}`);
  const [precision] = PRECISIONS_OF[device];
  BACKENDS[device].check({ precision });
  return { device, precision };
}

function countOf(flag: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError(`${flag} ${text}: expected a number of 1 or more`);
  return Number(text);
}

/** The first signal finishes the step at hand and saves; the second ends the process. */
function stopOnSignal(): () => boolean {
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      stopped = true;
    });
  return () => stopped;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `${error instanceof UsageError ? `${error.message}\n${USAGE}` : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

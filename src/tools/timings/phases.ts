import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Phase, ProgressEvent, RunEvent } from "../../runs/events.ts";
import { DEVICES, PRECISIONS_OF } from "../../runtime/device.ts";
import { UsageError } from "../../system/errors.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { trainByMethod } from "../../commands/train/run.ts";
import { oneOf, runTool } from "../arguments.ts";
import { rounded } from "./rounded.ts";

const [FEW_STEPS, MANY_STEPS] = [20, 400];

/** On the clock, and of the processor. */
interface Seconds {
  clock: number;
  processor: number;
}

/** Seconds by phase. What happens before a phase's first event belongs to the phase before. */
function createStopwatch() {
  const seconds = new Map<Phase, Seconds>();
  let [last, used] = [performance.now(), process.cpuUsage()];
  let phase: Phase = "loading";
  return {
    seconds,
    see(event: RunEvent | ProgressEvent): void {
      if (event.type !== "progress") return;
      const owner = event.done === 0 ? phase : event.phase;
      const so = seconds.get(owner) ?? { clock: 0, processor: 0 };
      const { user, system } = process.cpuUsage(used);
      const [clock, processor] = [(performance.now() - last) / 1000, (user + system) / 1e6];
      seconds.set(owner, { clock: so.clock + clock, processor: so.processor + processor });
      [last, used] = [performance.now(), process.cpuUsage()];
      phase = event.phase;
    },
  };
}

const USAGE = "usage: node dist/tools/timings/phases.js MODEL REWARD PHOTOS [--whole] [--device cpu]";

/** @throws UsageError */
function parseRequest(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { whole: { type: "boolean", default: false }, device: { type: "string", default: "cpu" } },
  });
  const [model, reward, images] = positionals;
  if (positionals.length !== 3) throw new UsageError("expected MODEL, REWARD and PHOTOS");
  const device = oneOf("--device", values.device, DEVICES);
  return { model, reward, images, isWhole: values.whole, device };
}

/**
 * `node dist/tools/timings/phases.js MODEL REWARD PHOTOS`: a run of 20 LoRA steps with validations at 0, 10 and 20 (8 prompts, one
 * picture each) and 8 negatives, in two threads, and where its seconds go. With `--whole` it is 400 steps with all that a run has by default:
 * 32 negatives, and 11 validations of 32 pictures. The last line is JSON.
 */
async function main({ model, reward, images, isWhole, device }: ReturnType<typeof parseRequest>): Promise<void> {
  const output = await mkdtemp(join(tmpdir(), "rpo-phases-"));
  const stopwatch = createStopwatch();
  const few = { steps: FEW_STEPS, validateEvery: FEW_STEPS / 2, validationImages: 1, negatives: 1 };
  const settings = { ...TRAIN_DEFAULTS, ...(isWhole ? { steps: MANY_STEPS } : few) };
  const paths = { model: resolve(model), reward: resolve(reward), images: resolve(images), output };
  const machine = { threads: 2, device, precision: PRECISIONS_OF[device][0] };
  try {
    await trainByMethod(
      { ...settings, ...paths, ...machine, class: "dog", earlyStopping: false },
      { resume: false },
      {
        emit: (event) => stopwatch.see(event),
        signal: new AbortController().signal,
        confirm: () => Promise.resolve(true),
      },
    );
  } finally {
    await rm(output, { recursive: true, force: true });
  }
  const phases = [...stopwatch.seconds];
  const total = phases.reduce((sum, [, { clock }]) => sum + clock, 0);
  for (const [phase, { clock, processor }] of phases) {
    const share = ((100 * clock) / total).toFixed(1);
    process.stdout.write(
      `${phase.padEnd(12)} ${clock.toFixed(1)} s  ${share} %  ${processor.toFixed(1)} of the processor's\n`,
    );
  }
  const rss_gb = rounded(process.resourceUsage().maxRSS / 1e6, 2);
  process.stdout.write(`${JSON.stringify({ phases: Object.fromEntries(phases), rss_gb })}\n`);
}

await runTool(USAGE, parseRequest, main);

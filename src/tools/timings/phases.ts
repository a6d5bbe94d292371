import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Phase, ProgressEvent, RunEvent } from "../../runs/events.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { trainByMethod } from "../../commands/train/run.ts";

const STEPS = 20;

/** Seconds by phase. What happens before a phase's first event belongs to the phase before. */
function createStopwatch(now: () => number = () => performance.now()) {
  const seconds = new Map<Phase, number>();
  let last = now();
  let phase: Phase = "loading";
  return {
    seconds,
    see(event: RunEvent | ProgressEvent): void {
      if (event.type !== "progress") return;
      const owner = event.done === 0 ? phase : event.phase;
      seconds.set(owner, (seconds.get(owner) ?? 0) + (now() - last) / 1000);
      last = now();
      phase = event.phase;
    },
  };
}

/**
 * `node dist/tools/timings/phases.js MODEL REWARD PHOTOS`: a run of 20 LoRA steps with validations at 0, 10 and 20 (8 prompts, one
 * picture each) and 8 negatives, in two threads, and where its seconds go. The last line is JSON.
 */
async function main(model: string, reward: string, images: string): Promise<void> {
  const output = await mkdtemp(join(tmpdir(), "rpo-phases-"));
  const stopwatch = createStopwatch();
  const settings = { ...TRAIN_DEFAULTS, steps: STEPS, validateEvery: STEPS / 2, validationImages: 1, negatives: 1 };
  const paths = { model: resolve(model), reward: resolve(reward), images: resolve(images), output };
  try {
    await trainByMethod(
      { ...settings, ...paths, class: "dog", threads: 2, earlyStopping: false },
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
  const total = phases.reduce((sum, [, seconds]) => sum + seconds, 0);
  for (const [phase, seconds] of phases)
    process.stdout.write(`${phase.padEnd(12)} ${seconds.toFixed(1)} s  ${((100 * seconds) / total).toFixed(0)} %\n`);
  const rss_gb = Number((process.resourceUsage().maxRSS / 1e6).toFixed(2));
  process.stdout.write(`${JSON.stringify({ phases: Object.fromEntries(phases), rss_gb })}\n`);
}

const [model, reward, images] = process.argv.slice(2);
if (model === undefined || reward === undefined || images === undefined) {
  process.stderr.write("usage: node dist/tools/timings/phases.js MODEL REWARD PHOTOS\n");
  process.exitCode = 2;
} else {
  await main(model, reward, images);
}

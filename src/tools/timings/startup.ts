import { resolve } from "node:path";
import { loadMethod } from "../../methods/load.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { openContext } from "../../training/open-context.ts";
import { rounded } from "./rounded.ts";

/** What stands ready when so many of the six parts of "loading" are done. */
const PARTS = ["", "checks", "texts", "VAE and photos", "reward", "U-Net's weights", "training's graphs"];

const USAGE = "usage: node dist/tools/timings/startup.js MODEL REWARD PHOTOS";

/**
 * What a run does before its first step, in two threads: seconds on the clock and of the processor for each part. Nothing is written. The last line
 * is JSON.
 */
async function main(model: string, reward: string, images: string): Promise<void> {
  const method = await loadMethod(TRAIN_DEFAULTS.method);
  const paths = { model: resolve(model), reward: resolve(reward), images: resolve(images), output: resolve("none") };
  let [clock, processor] = [performance.now(), process.cpuUsage()];
  const parts: Record<string, { seconds: number; processor: number }> = {};
  const context = await openContext(
    { ...TRAIN_DEFAULTS, ...paths, class: "dog", threads: 2, device: "cpu", precision: "float32" },
    method,
    {
      emit(event) {
        if (event.type !== "progress" || event.phase !== "loading") return;
        const { user, system } = process.cpuUsage(processor);
        const part = { seconds: (performance.now() - clock) / 1000, processor: (user + system) / 1e6 };
        if (event.done > 0)
          parts[PARTS[event.done]] = { seconds: rounded(part.seconds, 2), processor: rounded(part.processor, 2) };
        [clock, processor] = [performance.now(), process.cpuUsage()];
      },
      signal: new AbortController().signal,
      confirm: () => Promise.resolve(true),
    },
    { resume: false },
  );
  await context.release();
  for (const [name, { seconds, processor: ofIt }] of Object.entries(parts))
    process.stdout.write(
      `${name.padEnd(18)} ${seconds.toFixed(2).padStart(7)} s, ${ofIt.toFixed(2)} of the processor's\n`,
    );
  process.stdout.write(`${JSON.stringify({ parts, rss_gb: rounded(process.resourceUsage().maxRSS / 1e6, 2) })}\n`);
}

const [model, reward, images] = process.argv.slice(2);
if (model === undefined || reward === undefined || images === undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
} else await main(model, reward, images);

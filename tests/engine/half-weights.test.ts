import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createTinyTrainer, feedsOf, type TinyTraining } from "./tiny-training.ts";

const SIDE = 8;

/** What steps of training a LoRA come to: losses, norms, first moments. */
async function train(how: Pick<TinyTraining, "memory" | "precision" | "rounded">) {
  const trainer = await createTinyTrainer({ ...how, device: "cpu", adapter: "lora", side: SIDE });
  const steps = [];
  for (const step of [1, 2, 3]) steps.push(await trainer.step(feedsOf(step, SIDE)));
  const moments = [...trainer.optimizer.moments.first.values()].map(({ data }) => Float32Array.from(data));
  await trainer.release();
  return { steps, moments };
}

test.each(["normal", "low"] as const)(
  "with %s memory, a LoRA over weights in half precision trains to the bit as over the same numbers in float32",
  async (memory) => {
    const halves = await train({ memory, precision: "float16" });
    expect(halves).toEqual(await train({ memory, rounded: true }));
    expect(halves).not.toEqual(await train({ memory }));
  },
);

const PROBE = fileURLToPath(new URL("half-probe.mjs", import.meta.url));

/** As in memory.test.ts: what is freed goes back to the system at once. */
const environment = { ...process.env, MALLOC_MMAP_THRESHOLD_: String(2 ** 20) };

/** By how many float32 weights the peak of a step grows with each further layer. */
async function growth(precision: "float32" | "float16"): Promise<number> {
  const peaks: number[] = [];
  for (const layers of [4, 24]) {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", PROBE, String(layers), precision], {
      env: environment,
    });
    peaks.push(Number(stdout));
  }
  return (peaks[1] - peaks[0]) / 20;
}

describe.runIf(process.platform === "linux")("a deep chain's memory", () => {
  test("has each frozen weight once, and in half precision half of it: casts do not stay", async () => {
    const [single, half] = [await growth("float32"), await growth("float16")];
    expect(single).toBeGreaterThan(0.9);
    expect(single).toBeLessThan(1.1);
    expect(half).toBeGreaterThan(0.4);
    expect(half).toBeLessThan(0.6); // 1.5 if casts stayed
  });
});

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const PROBE = fileURLToPath(new URL("memory-probe.mjs", import.meta.url));

/**
 * What glibc does with memory that is freed depends on what went before; with a fixed threshold every activation goes back to the
 * system at once, and the peak is the program's own.
 */
const environment = { ...process.env, MALLOC_MMAP_THRESHOLD_: String(2 ** 20) };

/** A process's memory at its peak in steps of a chain of some blocks, in activations. */
async function peakOf(blocks: number, memory: "normal" | "low"): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROBE, String(blocks), memory], { env: environment });
  return Number(stdout);
}

/** By how many activations the peak grows with each further block. */
async function growth(memory: "normal" | "low"): Promise<number> {
  const shallow = await peakOf(4, memory);
  return ((await peakOf(14, memory)) - shallow) / 10;
}

describe.runIf(process.platform === "linux")("a deep chain's peak memory", () => {
  test("grows with little memory by what crosses the cuts", async () => {
    expect(await growth("low")).toBeLessThan(1.3);
  });

  test("grows by what the way back needs, and no more", async () => {
    const activations = await growth("normal");
    expect(activations).toBeLessThan(9);
    expect(activations).toBeGreaterThan(6); // the measure itself: with less it would see nothing
  });
});

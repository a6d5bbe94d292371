import { copyFile, mkdtemp, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { writeSafetensors } from "../tensor/safetensors.ts";
import { createComparison } from "./same-weights.ts";

const folder = await mkdtemp(join(tmpdir(), "rpo-same-"));
/** A LoRA of one layer. @param like files of the same are the same @param steps in its header */
async function file(name: string, like: string, steps = "1"): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  const tensor = new Random(0).split(like).normal([4, 600_000]);
  await writeSafetensors(path, [{ name: "lora_unet_mid.lora_down.weight", tensor }], { metadata: { ss_steps: steps } });
  return path;
}

test("files of the same weights are twins whatever their headers say, and each is read whole once", async () => {
  const [a, b, c] = [await file("a", "x"), await file("b", "x", "2"), await file("c", "y")];
  const comparison = createComparison();
  expect([await comparison.areSame(a, b), await comparison.areSame(a, c)]).toEqual([true, false]);
  // one that differs is known by a sample
  expect(comparison.readings).toBe(2);
  for (let i = 0; i < 5; i++) await comparison.areSame(a, b);
  expect(comparison.readings).toBe(2);
  await copyFile(c, b);
  expect([await comparison.areSame(a, b), await comparison.areSame(b, c)]).toEqual([false, true]);
  const { readings } = comparison;
  await utimes(c, new Date(0), new Date(0));
  expect(await comparison.areSame(b, c)).toBe(true);
  expect(comparison.readings).toBe(readings + 1);
});

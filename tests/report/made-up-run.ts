import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import type { RunEvent } from "../../src/runs/events.ts";
import { TRAIN_DEFAULTS } from "../../src/settings/train-settings.ts";

/** What a made-up run holds. */
export interface MadeUp {
  readonly class?: string;
  readonly prompts?: readonly string[];
  readonly validations?: number;
  readonly noises?: number;
  readonly adapter?: "lora" | "full";
  readonly preference?: boolean;
  /** More lines of events.jsonl. */
  readonly more?: string;
  /** Added to every seed. */
  readonly seeds?: number;
}

/** The run's folder; validation v is at step 10 v, and later ones trade text for picture alignment. */
export async function makeRun({
  class: className = "dog",
  prompts = ["a dog on the beach", "a red dog"],
  validations = 4,
  noises = 2,
  adapter = "lora",
  preference = true,
  more = "",
  seeds = 0,
}: MadeUp = {}): Promise<string> {
  const run = await mkdtemp(join(tmpdir(), "rpo-report-"));
  await mkdir(join(run, "images"));
  const draw = async (path: string, red: number) => {
    const background = { r: red, g: 90, b: 120 };
    await sharp({ create: { width: 16, height: 16, channels: 3, background } })
      .png()
      .toFile(join(run, path));
    return path;
  };
  const events: RunEvent[] = [{ type: "start", time: "2026-01-01T00:00:00.000Z", version: "0" }];
  if (preference) {
    const image = await draw("images/negative-00-0.png", 10);
    events.push({
      ...{ type: "starting-picture", use: "negative", prompt: `a ${className} in a pool`, promptIndex: 0, index: 0 },
      ...{ seed: 3, alignT: 0.5, image },
    });
  }
  const curves = { loss: 0.8, sim: 0.1, ...(preference && { pref: 0.7, margin: 0.01, label: 1 }) };
  for (let v = 0; v < validations; v++) {
    if (v > 0)
      for (let step = 10 * v - 9; step <= 10 * v; step++)
        events.push({ type: "step", step, curves, gradNorm: 1, seconds: 0.1 });
    const jobs = prompts.flatMap((prompt, p) => Array.from({ length: noises }, (_, n) => ({ prompt, p, n })));
    const images = [];
    for (const { prompt, p, n } of jobs)
      images.push({
        prompt,
        promptIndex: p,
        index: n,
        seed: seeds + 10 * p + n,
        alignI: 0.6 + 0.04 * Math.sqrt(v) + 0.002 * n,
        alignT: 0.86 - 0.006 * v * v + 0.003 * p,
        image: await draw(`images/validation-${v}-${p}-${n}.png`, 60 * v),
      });
    events.push({ type: "validation", step: 10 * v, lambda: 0.5, reward: 0.7, standardError: 0.01, images });
    if (v > 0) await mkdir(join(run, "checkpoints", String(10 * v).padStart(6, "0")), { recursive: true });
  }
  await writeFile(join(run, "events.jsonl"), `${events.map((event) => JSON.stringify(event)).join("\n")}\n${more}`);
  const config = {
    ...TRAIN_DEFAULTS,
    model: "/models/m",
    reward: "/models/r",
    images: "/gone/photos",
    class: className,
    output: run,
    learningRate: 1e-4,
    resolution: 16,
    validationImages: noises,
    threads: 1,
    adapter,
    preference,
    versions: { rpo: "0", node: "v0", onnxruntime: "0", platform: "none" },
    hashes: { "/models/m/unet.safetensors": "00", "/gone/photos/<b>1.jpg": "11", "/gone/photos/2.jpg": "22" },
  };
  await writeFile(join(run, "config.json"), JSON.stringify(config));
  return run;
}

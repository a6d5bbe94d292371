import { BACKENDS } from "../../src/runtime/backends/index.ts";
import type { Device } from "../../src/runtime/device.ts";
import { profile, type Profile } from "./node-places.ts";
import { createTinyTrainer, feedsOf } from "./tiny-training.ts";

/**
 * A program: prints what two steps of training come to on the CPU and on a device, for a LoRA with much and with little memory and
 * for the whole U-Net, as JSON of {@link Comparison}s.
 */

export interface Comparison {
  readonly name: string;
  /** Of each step, on the CPU and on the device. */
  readonly losses: readonly (readonly [cpu: number, device: number])[];
  readonly norms: readonly (readonly [cpu: number, device: number])[];
  /** How far the first moments are apart after two steps, in parts of the largest. */
  readonly moments: number;
  /** Copies on the device while training, and after everything was released. */
  readonly held: readonly [during: number, after: number];
  /** Where the device's nodes ran. */
  readonly places: Profile;
}

const SIDE = 8;

async function trainOn(device: Device, adapter: "lora" | "full", memory: "normal" | "low") {
  const trainer = await createTinyTrainer({ device, adapter, memory, side: SIDE });
  const steps = [];
  for (const step of [1, 2]) steps.push(await trainer.step(feedsOf(step, SIDE)));
  await trainer.optimizer.fetch();
  const moments = [...trainer.optimizer.moments.first.values()].flatMap(({ data }) => [...data]);
  const held = BACKENDS[device].memory.held;
  await trainer.release();
  return { steps, moments, held };
}

async function compare(adapter: "lora" | "full", memory: "normal" | "low"): Promise<Comparison> {
  const cpu = await trainOn("cpu", adapter, memory);
  const [device, places] = await profile(() => trainOn("webgpu", adapter, memory));
  const largest = Math.max(...cpu.moments.map(Math.abs));
  return {
    name: `${adapter}, ${memory} memory`,
    losses: cpu.steps.map(({ curves }, i) => [curves["loss"][0], device.steps[i].curves["loss"][0]]),
    norms: cpu.steps.map(({ gradNorm }, i) => [gradNorm, device.steps[i].gradNorm]),
    moments: Math.max(...cpu.moments.map((m, i) => Math.abs(m - device.moments[i]))) / largest,
    held: [device.held, BACKENDS.webgpu.memory.held],
    places,
  };
}

const comparisons = [await compare("lora", "normal"), await compare("lora", "low"), await compare("full", "normal")];
process.stdout.write(JSON.stringify(comparisons));

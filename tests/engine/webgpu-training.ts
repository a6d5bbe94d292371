import { BACKENDS } from "../../src/runtime/backends/index.ts";
import { createTinyTrainer, feedsOf, type TinyTraining } from "./tiny-training.ts";

/**
 * A program: prints what two steps of training come to on the CPU and on a device, for a LoRA with much and with little memory,
 * for the whole U-Net and for a LoRA over weights in half precision, as JSON of {@link Comparison}s.
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
}

const SIDE = 8;

type How = Pick<TinyTraining, "adapter" | "memory" | "precision">;

async function trainOn(device: TinyTraining["device"], how: How) {
  const trainer = await createTinyTrainer({ ...how, device, side: SIDE });
  const steps = [];
  for (const step of [1, 2]) steps.push(await trainer.step(feedsOf(step, SIDE)));
  await trainer.optimizer.fetch();
  const moments = [...trainer.optimizer.moments.first.values()].flatMap(({ data }) => [...data]);
  const held = BACKENDS[device].memory.held;
  await trainer.release();
  return { steps, moments, held };
}

async function compare(how: How): Promise<Comparison> {
  const cpu = await trainOn("cpu", how);
  const device = await trainOn("webgpu", how);
  const largest = Math.max(...cpu.moments.map(Math.abs));
  return {
    name: `${how.adapter}, ${how.memory} memory, ${how.precision ?? "float32"}`,
    losses: cpu.steps.map(({ curves }, i) => [curves["loss"][0], device.steps[i].curves["loss"][0]]),
    norms: cpu.steps.map(({ gradNorm }, i) => [gradNorm, device.steps[i].gradNorm]),
    moments: Math.max(...cpu.moments.map((m, i) => Math.abs(m - device.moments[i]))) / largest,
    held: [device.held, BACKENDS.webgpu.memory.held],
  };
}

const comparisons = [];
for (const how of [
  { adapter: "lora", memory: "normal" },
  { adapter: "lora", memory: "low" },
  { adapter: "full", memory: "normal" },
  { adapter: "lora", memory: "normal", precision: "float16" },
] as const)
  comparisons.push(await compare(how));
process.stdout.write(JSON.stringify(comparisons));

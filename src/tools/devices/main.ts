import { parseArgs } from "node:util";
import { loadFor } from "../../checkpoints/part.ts";
import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { BACKENDS } from "../../runtime/backends/index.ts";
import { DEVICES, PRECISIONS, PRECISIONS_OF, type Device } from "../../runtime/device.ts";
import type { SessionOptions } from "../../runtime/session-options.ts";
import { countOf, oneOf, runTool } from "../arguments.ts";
import { stepOf } from "../timings/training.ts";

const USAGE = `usage: npm run --silent devices -- CHECKPOINT DEVICE [--adapter lora|full] [--memory normal|low]
         [--precision ${PRECISIONS.join("|")}] [--steps 20] [--threads 2]
Trains on the processor and on DEVICE (${DEVICES.join(", ")}) with the same numbers, and compares what came of it.`;

interface Request {
  readonly checkpoint: string;
  readonly device: Device;
  readonly adapter: "lora" | "full";
  readonly memory: "normal" | "low";
  readonly steps: number;
  readonly session: SessionOptions;
}

interface Training {
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  readonly seconds: readonly number[];
  /** Tensors in the device's memory while it trained. */
  readonly held: number;
}

/**
 * Prints a line a step with both losses, and last
 * `{"device", "adapter", "memory", "precision", "steps", "loss", "norm", "seconds", "held", "left"}`: the largest relative differences of the
 * losses and of the gradients' norms, the median seconds of a step, and tensors in the device's memory, while it trained and after.
 */
async function main({ device, session, ...request }: Request): Promise<void> {
  const processor = await train({ ...request, device: "cpu", session: { threads: session.threads, device: "cpu" } });
  const other = await train({ ...request, device, session });
  processor.losses.forEach((loss, i) => process.stdout.write(`${i + 1} ${loss} ${other.losses[i]}\n`));
  const worst = (key: "losses" | "norms") =>
    Math.max(...processor[key].map((x, i) => Math.abs(other[key][i] / x - 1))).toExponential(1);
  const { adapter, memory, steps } = request;
  const { precision } = session;
  process.stdout.write(
    `${JSON.stringify({
      ...{ device, adapter, memory, precision, steps, loss: worst("losses"), norm: worst("norms") },
      seconds: [processor, other].map(({ seconds }) => Number(median(seconds).toFixed(4))),
      held: other.held,
      left: BACKENDS[device].memory.held,
    })}\n`,
  );
}

async function train({ checkpoint, adapter, memory, steps, device, session }: Request): Promise<Training> {
  const { unet, scheduler } = await openStableDiffusion(checkpoint);
  const parts = { config: unet.config, weights: await loadFor(session.precision, unet, adapter), scheduler, adapter };
  const timed = await stepOf(parts, { memory, session });
  try {
    const [losses, norms, seconds]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < steps; i++) {
      const started = performance.now();
      const { curves, gradNorm } = await timed.run();
      seconds.push((performance.now() - started) / 1000);
      losses.push(curves["loss"][0]);
      norms.push(gradNorm);
    }
    return { losses, norms, seconds, held: BACKENDS[device].memory.held };
  } finally {
    await timed.release();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** @throws UsageError */
function parseRequest(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      adapter: { type: "string", default: "lora" },
      memory: { type: "string", default: "normal" },
      precision: { type: "string" },
      steps: { type: "string", default: "20" },
      threads: { type: "string", default: "2" },
    },
  });
  const [checkpoint, name] = positionals;
  const device = oneOf("DEVICE", name, DEVICES);
  const precision = oneOf("--precision", values.precision ?? PRECISIONS_OF[device][0], PRECISIONS);
  return {
    checkpoint,
    device,
    adapter: oneOf("--adapter", values.adapter, ["lora", "full"]),
    memory: oneOf("--memory", values.memory, ["normal", "low"]),
    steps: countOf("--steps", values.steps),
    session: { threads: countOf("--threads", values.threads), device, precision },
  };
}

await runTool(USAGE, parseRequest, main);

import { unetParameters } from "../../checkpoints/graphs.ts";
import { readConfig } from "../../checkpoints/weights.ts";
import { parseSchedulerConfig } from "../../diffusion/config.ts";
import { parseUnetConfig } from "../../models/unet/config.ts";
import { withResources } from "../../runtime/resources.ts";
import { packagePath } from "../../system/package.ts";
import { Random } from "../../tensor/random.ts";
import { float32Array, sizeOf, type Float32Tensor, type Shape } from "../../tensor/tensor.ts";
import { stepOf } from "./training.ts";

/** As Stable Diffusion XL base 1.0 has it. */
const UNET = packagePath("models", "original", "sdxl", "unet");
const SCHEDULER = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear", num_train_timesteps: 1000 };

/** Values that are drawn once and used again and again: their time and memory do not depend on what they are. */
const DRAWN = 2 ** 20;

/** Random weights that keep activations of order 1. */
function randomWeights(parameters: readonly { readonly name: string; readonly shape: Shape }[]) {
  const values = new Random(0).normal([DRAWN]).data;
  return new Map<string, Float32Tensor>(
    parameters.map(({ name, shape }) => {
      const data = float32Array(sizeOf(shape));
      const fan = sizeOf(shape.slice(1));
      for (let at = 0; at < data.length; at += DRAWN) data.set(values.subarray(0, data.length - at), at);
      for (let i = 0; i < data.length; i++) data[i] /= Math.sqrt(fan);
      return [name, { dtype: "float32", shape, data }];
    }),
  );
}

/**
 * `node dist/tools/timings/sdxl.js SIDE`: one RPO step with a LoRA of rank 16 on a U-Net of Stable Diffusion XL's published size with
 * random weights, `--memory low`, two threads, on latents of SIDE x SIDE (128 are 1024 pixels). The last line is JSON.
 */
async function main(side: number): Promise<void> {
  const config = parseUnetConfig({ ...(await readConfig(UNET)), sample_size: side }, "unet/config.json");
  const parameters = unetParameters(config);
  const weights = randomWeights(parameters);
  const scheduler = parseSchedulerConfig(JSON.stringify(SCHEDULER), "scheduler_config.json", "DDIMScheduler");
  await withResources(async (own) => {
    const options = { memory: "low", session: { threads: 2 } } as const;
    const step = own(await stepOf({ config, weights, scheduler, adapter: "lora" }, options));
    const start = performance.now();
    await step.run();
    const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
    const count = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const rss_gb = Number((process.resourceUsage().maxRSS / 1e6).toFixed(2));
    process.stdout.write(`${JSON.stringify({ side, parameters: count, seconds, rss_gb })}\n`);
  });
}

const side = Number(process.argv[2]);
if (!Number.isInteger(side) || side < 4 || side % 4 !== 0) {
  process.stderr.write("usage: node dist/tools/timings/sdxl.js SIDE (of the latents: a multiple of 4, such as 64)\n");
  process.exitCode = 2;
} else {
  await main(side);
}

import { ModelError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { SchedulerConfig } from "./config.ts";
import { ddimSampler } from "./ddim.ts";
import { dpmSampler } from "./dpm.ts";
import { eulerSampler } from "./euler.ts";
import { pndmSampler } from "./pndm.ts";
import type { Sampler } from "./sampler.ts";

/** What `--sampler` takes; "checkpoint" is the folder's own. */
export const samplerNames = ["ddim", "pndm", "dpm", "euler", "checkpoint"] as const;
export type SamplerName = (typeof samplerNames)[number];

/**
 * A sampler for one run of `steps` steps, set up as diffusers would from the same `scheduler_config.json`: "checkpoint" as
 * `from_pretrained`, the others as `from_config` of their class (PNDM with `skip_prk_steps`, as Stable Diffusion uses it).
 *
 *     const sampler = createSampler("dpm", parseSchedulerConfig(text, "scheduler/scheduler_config.json"), 20);
 *
 * @throws ModelError on a config that is wrong or asks for what is not supported; UsageError on a step count out of range.
 */
export function createSampler(name: SamplerName, config: SchedulerConfig, steps: number): Sampler {
  switch (name) {
    case "ddim":
      return ddimSampler(config, steps);
    case "pndm":
      return pndmSampler(config, steps, true);
    case "dpm":
      return dpmSampler(config, steps);
    case "euler":
      return eulerSampler(config, steps);
    case "checkpoint":
      return ownSampler({ ...config, values: { ...config.ownValues, ...config.values } }, steps);
  }
}

function ownSampler(config: SchedulerConfig, steps: number): Sampler {
  switch (config.className) {
    case "DDIMScheduler":
      return ddimSampler(config, steps);
    case "PNDMScheduler":
      return pndmSampler(config, steps);
    case "DPMSolverMultistepScheduler":
      return dpmSampler(config, steps);
    case "EulerDiscreteScheduler":
      return eulerSampler(config, steps);
    default: {
      const own =
        config.className === "" ? "names no _class_name" : `the checkpoint's own sampler is ${config.className}`;
      throw new ModelError(
        say`${config.where}: ${own}, expected DDIM, PNDM, DPMSolverMultistep or EulerDiscrete; pass ${setting("sampler", "ddim")}, pndm, dpm or euler`,
      );
    }
  }
}

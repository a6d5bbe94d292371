import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../../diffusion/schedule.ts";
import { ATTENTION_TARGETS } from "../../nn/lora.ts";
import { objective } from "../../methods/rpo/objective.ts";
import type { Condition } from "../../settings/train-settings.ts";
import { trainLora, trainWeights } from "../../training/trainable.ts";
import { createTrainer, type Feeds } from "../../training/trainer.ts";
import { withResources } from "../../runtime/resources.ts";
import { float32, type Float32Tensor, type Tensor } from "../../tensor/tensor.ts";
import { floatsOf, inputOf, SESSION, type ParityCase, type Solver } from "./case.ts";

/** Optimizer steps of L_sim + L_pref on given draws. */
export const solveRpo: Solver = async (parityCase) => {
  const { checkpoint, settings } = parityCase;
  const model = await openStableDiffusion(checkpoint);
  const schedule = noiseSchedule(model.scheduler);
  const lora = settings["lora"] as { rank: number; alpha: number } | null;
  const learningRate = settings["lr"] as number;
  const condition = settings["condition"] as Condition;
  const beta = settings["beta"] as number;
  const [batch, , height, width] = inputOf(parityCase, "0.x_ref").shape;
  const weights = await model.unet.load();
  return withResources(async (own) => {
    const trainer = own(
      await createTrainer({
        config: model.unet.config,
        weights,
        trainable:
          lora === null
            ? trainWeights(weights, { learningRate })
            : trainLora({ ...lora, targets: ATTENTION_TARGETS }, startOf(parityCase), { learningRate }),
        objective: (scope) => objective(scope, { condition, beta, preference: true }),
        batch,
        latentSize: [height, width],
        textLength: inputOf(parityCase, "0.prompt").shape[1],
        memory: process.env["RPO_MEMORY"] === "low" ? "low" : "normal",
        session: SESSION,
      }),
    );
    const answers = new Map<string, Tensor>();
    const steps = settings["steps"] as number;
    for (let step = 0; step < steps; step++) {
      const { sim, pref, margin } = await trainer.backward(feedsOf(parityCase, step, schedule));
      if (step === 0)
        for (const [name, { data, shape }] of trainer.optimizer.gradients)
          answers.set(`grad.${peftName(name)}`, float32(data.slice(), shape));
      const gradNorm = await trainer.optimizer.step();
      answers.set(`${step}.sim`, float32(sim));
      answers.set(`${step}.pref`, float32(pref));
      answers.set(`${step}.margin`, float32(margin));
      answers.set(`${step}.grad_norm`, float32([gradNorm]));
    }
    for (const [name, { data, shape }] of trainer.optimizer.parameters)
      answers.set(`param.${peftName(name)}`, float32(data.slice(), shape));
    return answers;
  });
};

/** What a step is fed. */
export function feedsOf(parityCase: ParityCase, step: number, schedule: ReturnType<typeof noiseSchedule>): Feeds {
  const input = (name: string) => floatsOf(parityCase, `${step}.${name}`);
  const timesteps = Array.from(inputOf(parityCase, `${step}.t`).data);
  const noisy = (side: string) => addNoise(schedule, input(`x_${side}`), input(`noise_${side}`), timesteps);
  const target = (side: string) => trainingTarget(schedule, input(`x_${side}`), input(`noise_${side}`), timesteps);
  return {
    "ref.noisy": noisy("ref"),
    "ref.target": target("ref"),
    "gen.noisy": noisy("gen"),
    "gen.target": target("gen"),
    timestep: float32(timesteps),
    prompt: input("prompt"),
    modifier: input("modifier"),
    ...(parityCase.inputs.has(`${step}.time_ids`) && {
      "prompt.pooled": input("prompt_pooled"),
      "modifier.pooled": input("modifier_pooled"),
      sizes: input("time_ids"),
    }),
    label: input("y"),
  };
}

/** PEFT names a live model's adapter in the tensor's name, files do not. */
function peftName(name: string): string {
  return name.replace(/\.lora_([AB])\.weight$/, ".lora_$1.default.weight");
}

/** Where the LoRA begins. */
export function startOf(parityCase: ParityCase): Map<string, Float32Tensor> {
  const start = new Map<string, Float32Tensor>();
  for (const name of parityCase.inputs.keys())
    if (name.startsWith("param."))
      start.set(name.slice("param.".length).replace(".default.", "."), floatsOf(parityCase, name));
  return start;
}

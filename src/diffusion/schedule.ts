import { ModelError } from "../system/errors.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { betaOptions, flag, optionsFor, predictionType } from "./config.ts";
import type { BetaOptions, PredictionType, SchedulerConfig } from "./config.ts";
import { blendItems } from "./latents.ts";
import { linspace32 } from "./numpy.ts";

/**
 * The forward process q(x_t | x_0) = N(sqrt(a_t) x_0, (1 - a_t) I) of "Denoising Diffusion Probabilistic Models",
 * arXiv 2006.11239, eq. 4, over timesteps 0 ... numTrainTimesteps - 1.
 */
export interface NoiseSchedule {
  readonly numTrainTimesteps: number;
  readonly predictionType: PredictionType;
  /** a_t = prod (1 - beta_s) for s <= t, as PyTorch computes it in float32. [numTrainTimesteps] */
  readonly alphasCumprod: Float32Array;
}

const ddpmOptions = betaOptions.extend({
  prediction_type: predictionType.default("epsilon"),
  rescale_betas_zero_snr: flag(false),
});

/** The schedule that a folder's model was trained with: diffusers' `DDPMScheduler.from_config`. @throws ModelError */
export function noiseSchedule(config: SchedulerConfig): NoiseSchedule {
  const options = optionsFor(config, ddpmOptions, "DDPMScheduler");
  return {
    numTrainTimesteps: options.num_train_timesteps,
    predictionType: options.prediction_type,
    alphasCumprod: alphasCumprod(options, config.where, options.rescale_betas_zero_snr),
  };
}

/** x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise. `clean`, `noise` [B, ...]; one timestep an item. @throws RangeError */
export function addNoise(
  schedule: NoiseSchedule,
  clean: Float32Tensor,
  noise: Float32Tensor,
  timesteps: ArrayLike<number>,
): Float32Tensor {
  const alphas = alphasAt(schedule, timesteps);
  return blendItems(clean, noise, alphas.map(Math.sqrt), alphas.map(deviation));
}

/**
 * v_t = sqrt(a_t) noise - sqrt(1 - a_t) x_0: "Progressive Distillation for Fast Sampling of Diffusion Models",
 * arXiv 2202.00512, sec. 4. `clean`, `noise` [B, ...]; one timestep an item. @throws RangeError
 */
export function velocity(
  schedule: NoiseSchedule,
  clean: Float32Tensor,
  noise: Float32Tensor,
  timesteps: ArrayLike<number>,
): Float32Tensor {
  const alphas = alphasAt(schedule, timesteps);
  const clears = alphas.map((alpha) => -deviation(alpha));
  return blendItems(clean, noise, clears, alphas.map(Math.sqrt));
}

/** What the model should answer on {@link addNoise}'s sample, by the schedule's prediction type. @throws RangeError */
export function trainingTarget(
  schedule: NoiseSchedule,
  clean: Float32Tensor,
  noise: Float32Tensor,
  timesteps: ArrayLike<number>,
): Float32Tensor {
  switch (schedule.predictionType) {
    case "epsilon":
      return noise;
    case "v_prediction":
      return velocity(schedule, clean, noise, timesteps);
    case "sample":
      return clean;
  }
}

/**
 * a_t = prod (1 - beta_s), [T]. Rounded to float32 where torch rounds: 1 - beta loses digits of beta that add up to 1e-6 over
 * a thousand factors. The product itself runs in double, as torch's cumprod on the CPU does.
 *
 * @throws ModelError when trained_betas does not have num_train_timesteps entries.
 */
export function alphasCumprod(options: BetaOptions, where: string, zeroTerminalSnr = false): Float32Array {
  const betas = betasOf(options, where);
  const alphas = cumulativeProduct(betas.map((beta) => 1 - beta));
  return zeroTerminalSnr ? rescaleToZeroTerminalSnr(alphas) : alphas;
}

function betasOf(options: BetaOptions, where: string): Float32Array {
  const { beta_start, beta_end, num_train_timesteps: count, trained_betas } = options;
  if (trained_betas !== null) {
    if (trained_betas.length === count) return Float32Array.from(trained_betas);
    throw new ModelError(
      `${where}: trained_betas has ${trained_betas.length} entries but num_train_timesteps is ${count}`,
    );
  }
  switch (options.beta_schedule) {
    case "linear":
      return linspace32(beta_start, beta_end, count);
    case "scaled_linear":
      return linspace32(Math.sqrt(beta_start), Math.sqrt(beta_end), count).map((root) => root * root);
    case "squaredcos_cap_v2":
      return Float32Array.from({ length: count }, (_, i) =>
        Math.min(1 - cosineAlpha((i + 1) / count) / cosineAlpha(i / count), 0.999),
      );
  }
}

/** "Improved Denoising Diffusion Probabilistic Models", arXiv 2102.09672, eq. 17; `time` in [0, 1]. */
function cosineAlpha(time: number): number {
  return Math.cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2;
}

function cumulativeProduct(factors: Float32Array): Float32Array {
  let product = 1;
  return factors.map((factor) => (product *= factor));
}

/**
 * "Common Diffusion Noise Schedules and Sample Steps are Flawed", arXiv 2305.08891, Alg. 1: sqrt(a) is shifted to end at 0 and
 * scaled to begin where it began. Goes back over betas, in float32, because diffusers does: a_0 etc. keep its rounding.
 */
function rescaleToZeroTerminalSnr(alphas: Float32Array): Float32Array {
  const roots = alphas.map(Math.sqrt);
  const first = roots[0] ?? NaN;
  const last = roots.at(-1) ?? NaN;
  const scale = Math.fround(first / Math.fround(first - last));
  const squares = roots.map((root) => Math.fround(Math.fround(root - last) * scale) ** 2);
  const betas = squares.map((square, t) => 1 - Math.fround(t === 0 ? square : square / (squares[t - 1] ?? NaN)));
  return cumulativeProduct(betas.map((beta) => 1 - beta));
}

function alphasAt(schedule: NoiseSchedule, timesteps: ArrayLike<number>): number[] {
  return Array.from(timesteps, (timestep) => {
    const alpha = schedule.alphasCumprod[timestep];
    if (alpha !== undefined) return alpha;
    throw new RangeError(`timestep ${timestep}: expected an integer in 0 ... ${schedule.numTrainTimesteps - 1}`);
  });
}

function deviation(alpha: number): number {
  return Math.sqrt(1 - alpha);
}

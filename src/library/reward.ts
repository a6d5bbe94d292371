import { chooseMachine } from "../commands/machine.ts";
import { z } from "zod";
import { EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import { withoutIdentifier } from "../training/identifier.ts";
import { openService, type Service } from "../engine/services/host.ts";
import { findModels } from "../commands/models/hub-models.ts";
import { ENCODERS_MACHINE } from "../settings/common.ts";
import { prose, text } from "../settings/kinds.ts";
import { parseSettings } from "../settings/parse.ts";
import { givenShape, pick } from "../settings/setting.ts";
import { TRAIN } from "../settings/train.ts";
import { harmonicReward } from "../reward/reward.ts";
import { UsageError } from "../system/errors.ts";
import type { Control } from "./control.ts";
import { programOf } from "./inside/program.ts";
import { givenOf } from "./inside/given.ts";
import { checkSources } from "./inside/picture-sources.ts";
import type { PictureSource } from "./picture.ts";
import { inText } from "./inside/in-text.ts";

/** What to score with, for {@link loadReward}. */
export interface RewardOptions extends Control {
  /** An ALIGN model: a transformers folder, a name on the hub such as `kakaobrain/align-base`, or `tiny`, the embedded one. Default `tiny`. */
  readonly model?: string | undefined;
  /** Default: one a core. */
  readonly threads?: number | undefined;
  /** Where it computes. Default `auto`: a GPU that works and is faster than the processor, else `cpu`. */
  readonly device?: "auto" | "cpu" | "cuda" | "webgpu" | "openvino" | undefined;
  /** Of products: `float32`, `tf32` for NVIDIA's tensor cores, or `bfloat16` with `openvino`. Default: `tf32` with `cuda`, else `float32`. */
  readonly precision?: "float32" | "tf32" | "bfloat16" | undefined;
}

/** What to score, for {@link Reward.score}. */
export interface ScoreOptions extends Control {
  /** The subject's photos, or the folder that holds them. */
  readonly references: string | readonly PictureSource[];
  /** The pictures to score. */
  readonly pictures: readonly PictureSource[];
  /** What they were drawn from: one for all, or one for each. */
  readonly prompts: string | readonly string[];
  /** 0 to 1: how much likeness counts against the prompt. Default 0.5. */
  readonly lambda?: number | undefined;
  /** The identifier, which the reward does not see. Default `[V]`. */
  readonly token?: string | undefined;
}

/** How good a picture is. All are in [0, 1]. */
export interface Score {
  /** Likeness: the mean of (cos + 1) / 2 with the photos. */
  readonly alignI: number;
  /** Obedience: (cos + 1) / 2 with the prompt. */
  readonly alignT: number;
  /** Their lambda-harmonic mean, `1 / (lambda / alignI + (1 - lambda) / alignT)`. */
  readonly reward: number;
}

/** A reward that is loaded. It lives in a thread of its own, so that this one goes on while it works. */
export interface Reward {
  /**
   * Scores pictures of one subject, in their order, as training does. Calls wait for those before them.
   *
   * @throws UsageError on options or pictures that cannot be, ModelError on a damaged model, the signal's reason when it is aborted
   * @example
   * ```js
   * const [score] = await reward.score({ references: "my-dog", pictures: ["beach.png"], prompts: "a [V] dog on the beach" });
   * console.log(score.reward, score.alignI, score.alignT);
   * ```
   */
  score(options: ScoreOptions): Promise<Score[]>;
  /** Frees the model, once the calls so far are done. */
  release(): Promise<void>;
  /** `await using reward = ...` releases it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
}

const rewardSchema = z.strictObject({
  model: text.given.default(EMBEDDED_MODEL),
  ...givenShape(ENCODERS_MACHINE),
});

const scoreSchema = z.strictObject({
  prompts: z.array(prose.given),
  ...givenShape(pick(TRAIN, "lambda", "token")),
});

/**
 * Loads the reward that training maximizes: an ALIGN model, which knows likeness and obedience.
 *
 * @throws UsageError when there is no such model, ModelError when it is damaged or of a kind that is not supported
 * @example
 * ```js
 * const reward = await loadReward({ model: "kakaobrain/align-base" });
 * ```
 */
export async function loadReward(options: RewardOptions = {}): Promise<Reward> {
  const { onEvent, signal, ...settings } = options;
  const { model: name, threads, ...wanted } = parseSettings(rewardSchema, givenOf(settings));
  const program = programOf({ onEvent, signal });
  const { model = name } = await findModels({ model: { setting: "reward", name } }, program);
  const machine = await chooseMachine({ ...wanted, threads }, program);
  const service = await openService("reward", { model, threads, ...machine }, { onEvent: inText(onEvent), signal });
  const release = () => service.release();
  return {
    score: (request) => score(service, request),
    release,
    [Symbol.asyncDispose]: release,
  };
}

async function score(
  service: Service<"reward">,
  { onEvent, signal, references, pictures, prompts: wanted, ...options }: ScoreOptions,
): Promise<Score[]> {
  if (typeof references !== "string") checkSources("references", references);
  checkSources("pictures", pictures);
  const given = { ...givenOf(options), prompts: typeof wanted === "string" ? pictures.map(() => wanted) : wanted };
  const { prompts, lambda, token } = parseSettings(scoreSchema, given);
  if (prompts.length !== pictures.length)
    throw new UsageError(
      `prompts: expected one, or one for each of ${pictures.length} pictures, got ${prompts.length}`,
    );
  const texts = prompts.map((prompt) => withoutIdentifier(prompt, token));
  const alignments = await service.request({ references, pictures, texts }, { onEvent: inText(onEvent), signal });
  return alignments.map((alignment) => ({ ...alignment, reward: harmonicReward(alignment, lambda) }));
}

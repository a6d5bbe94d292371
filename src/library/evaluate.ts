import { runTask } from "../engine/host.ts";
import { orReasonOf } from "../engine/thread.ts";
import type { Control } from "./control.ts";
import { programOf } from "./inside/program.ts";
import { givenOf } from "./inside/given.ts";
import type { TrainOptions } from "./train.ts";
import { inText } from "./inside/in-text.ts";

/** What to judge, for {@link evaluate}: the settings of `rpo evaluate`. */
export interface EvaluateOptions extends Control, Pick<TrainOptions, "threads" | "device"> {
  /** The folder with the subject's photos. */
  readonly references: string;
  /** The folder with the pictures. */
  readonly images: string;
  /**
   * A file with the pictures' prompts: a JSON object by file name, or a list by the number that file names begin with. Default:
   * `prompts.json` beside the pictures.
   */
  readonly prompts?: string | undefined;
  /** What `{class}` in the prompts stands for. */
  readonly class?: string | undefined;
  /** The identifier, which no judge sees. Default `[V]`. */
  readonly token?: string | undefined;
  /** A photo that was not trained on: the only reference then. */
  readonly holdOut?: string | undefined;
  /** A folder with masks named as their photos and pictures, white where the subject is: one for every photo, and for some pictures or all. */
  readonly masks?: string | undefined;
  /** Holds the judges, as folders named dino, clip and align; or `tiny`, the embedded ones. */
  readonly judges?: string | undefined;
  /** A ViT: a transformers folder, or a name on the hub such as `facebook/dino-vits16`. */
  readonly dino?: string | undefined;
  /** A CLIP model, likewise, such as `openai/clip-vit-base-patch16`. */
  readonly clip?: string | undefined;
  /** An ALIGN model, likewise, such as `kakaobrain/align-base`. */
  readonly align?: string | undefined;
  /** Also write `evaluation.json` and `evaluation.csv` there. */
  readonly output?: string | undefined;
  /** Of products: `float32`, `tf32` for NVIDIA's tensor cores, or `bfloat16` with `openvino`. Default: `tf32` with `cuda`, else `float32`. */
  readonly precision?: "float32" | "tf32" | "bfloat16" | undefined;
}

/** Scores of a picture, or their means; those whose judge is missing are left out. */
export interface Scores {
  /** Mean cosine of DINO's class tokens to the references. */
  readonly dino?: number;
  /** Mean cosine of CLIP's features to the references. */
  readonly clipI?: number;
  /** Cosine of CLIP's features to the prompt. */
  readonly clipT?: number;
  /** (cos + 1) / 2 to the references, as in the reward. */
  readonly alignI?: number;
  /** (cos + 1) / 2 to the prompt, as in the reward. */
  readonly alignT?: number;
  /** Cosine of DINO's class tokens to the nearest photo that was trained on. */
  readonly nearest?: number;
  /** As `dino`, with the backgrounds masked out; of pictures that have a mask. */
  readonly dinoMasked?: number;
}

/** A picture that was judged. */
export interface JudgedPicture extends Scores {
  /** Its name in the folder. */
  readonly file: string;
  /** What it was drawn from. */
  readonly prompt: string;
  /** What the judges read: the prompt without the identifier. */
  readonly text: string;
}

/** An encoder that judged. */
export interface JudgeRecord {
  /** Where it is. */
  readonly folder: string;
  /** Fingerprints of its weights, by file. */
  readonly weights: Readonly<Record<string, string>>;
}

/** What {@link evaluate} found: what `rpo evaluate` writes to `evaluation.json`. */
export interface Evaluation {
  /** Of this program. */
  readonly version: string;
  /** By name: dino, clip, align. */
  readonly judges: Readonly<Record<string, JudgeRecord>>;
  /** The photos that the pictures were compared with. */
  readonly references: readonly string[];
  /** The photos that were trained on, to tell copies. */
  readonly trainedOn: readonly string[];
  /** In the order of their names. */
  readonly pictures: readonly JudgedPicture[];
  /** Means over the pictures. */
  readonly means: Scores;
  /** The share of pictures that are nearer to some photo than any two photos are to each other. */
  readonly copyRate?: number;
  /** How much the pictures of a prompt differ: 1 - cosine, the mean over pairs and prompts. */
  readonly diversity?: number;
}

/**
 * Judges pictures as DreamBench does: DINO, CLIP-I and CLIP-T; and ALIGN, copies and diversity. The engine works in a thread of its own.
 *
 * @throws UsageError on folders, prompts or judges that are not there; ModelError on a damaged model; the signal's reason when it is aborted
 * @example
 * ```js
 * const { means } = await evaluate({ references: "my-dog", images: "pictures", dino: "facebook/dino-vits16" });
 * console.log(means.dino);
 * ```
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { onEvent, signal, ...settings } = options;
  signal?.throwIfAborted();
  const { resolveEvaluation } = await import("../commands/evaluate/resolve.ts");
  const resolved = await resolveEvaluation(givenOf(settings), programOf({ onEvent, signal }));
  return runTask("evaluate", resolved, { onEvent: inText(onEvent), signal }).catch(orReasonOf(signal));
}

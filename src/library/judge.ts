import { join } from "node:path";
import { runTask } from "../engine/host.ts";
import type { JudgeResult } from "../judging/task.ts";
import type { RunEvent } from "../runs/events.ts";
import { checkpointPath } from "../runs/folder.ts";
import { readJudged } from "../runs/judged.ts";
import type { Control, WorkEvent } from "./control.ts";
import { givenOf } from "./inside/given.ts";
import { programOf } from "./inside/program.ts";
import type { TrainOptions } from "./train.ts";
import { worded } from "../system/worded.ts";

/** What a judging tells: the lines of its `events.jsonl`, and its progress. */
export type JudgeEvent = RunEvent | WorkEvent;

/** Settings of {@link judge}: those of `rpo judge`, with its names and defaults. It draws and scores as the validations of {@link train} do. */
export interface JudgeOptions
  extends
    Control<JudgeEvent>,
    Pick<
      TrainOptions,
      | "class"
      | "token"
      | "subject"
      | "variant"
      | "reward"
      | "resolution"
      | "lambda"
      | "rewardForm"
      | "validationImages"
      | "validationSteps"
      | "sampler"
      | "guidance"
      | "seed"
      | "threads"
      | "device"
      | "precision"
    > {
  /**
   * Files, folders, or paths with `*` and `?` of one training, by any trainer: LoRA files of every kind, whole models, U-Nets. May be left
   * out with `samples`.
   */
  readonly checkpoints?: string | readonly string[] | undefined;
  /** A folder with the pictures that the trainer drew: they are scored, and nothing is drawn. */
  readonly samples?: string | undefined;
  /** The folder with the photos that were trained on. */
  readonly images: string;
  /** The name of a photo that was not trained on, and is not judged by. Default: all were. */
  readonly holdOut?: string | undefined;
  /** How the photos are shown in the report. Default `center`. */
  readonly crop?: "center" | "none" | undefined;
  /** A file with prompts; with `samples` the trainer's own. Default: the model's, else the authors'. */
  readonly prompts?: string | undefined;
  /** The model that was trained from: as for {@link train}. Default `tiny`. */
  readonly model?: string | undefined;
  /** The run's folder; one that is there goes on. Default: `runs/<class>-<training>-judged`, by the checkpoints' names. */
  readonly output?: string | undefined;
  /** Go on looking for new files until the signal is aborted. Default false. */
  readonly watch?: boolean | undefined;
}

/** A checkpoint that was judged, or the starting model. */
export interface JudgedCheckpoint {
  /** 0 is the starting model. */
  readonly step: number;
  /** Its file or folder; absent for the starting model, and where pictures were judged without it. */
  readonly file?: string;
  /** The reward of its pictures at the lambda. */
  readonly reward: number;
  /** Of that reward. */
  readonly standardError: number;
  /** Mean likeness of its pictures. */
  readonly alignI: number;
  /** Mean obedience of its pictures. */
  readonly alignT: number;
  /** How far the way to the photos' likeness is: 0 for the starting model, 1 for the photos; absent where that was not measured. */
  readonly likeness?: number;
  /** How much is left of the obedience: 1 for the starting model, 0 for a copy of the photos; absent likewise. */
  readonly obedience?: number;
  /** How many of its pictures are nearer to a photo than any two photos are to each other; absent with a single photo. */
  readonly copies?: number;
  /** How many pictures it drew. */
  readonly pictures: number;
  /** What is wrong with its file, which cannot be kept: trainers remove older ones. Absent where all is well. */
  readonly gone?: string;
  /** Whether it is the best, or so near to it that the difference may be chance, less than twice its standard error, or is less than 0.0005. */
  readonly mayBeBest: boolean;
}

/** What came of a judging. */
export interface Judgement {
  /** `done`: all that was there is judged. `interrupted`: the signal was aborted; calling again goes on. */
  readonly reason: "done" | "interrupted";
  /** The run's folder, which `loadPipeline({ adapter })` and {@link select} take. */
  readonly output: string;
  /** What the rewards are for. */
  readonly lambda: number;
  /** Of the best checkpoint whose file is there, 0 for the starting model; undefined before anything was judged. */
  readonly best: number | undefined;
  /** Of the best of all, whose file may be gone. */
  readonly bestOfAll: number | undefined;
  /** The starting model and the checkpoints, by their steps. */
  readonly checkpoints: readonly JudgedCheckpoint[];
  /** Which step to keep for which lambda, from 0 to 1, of those whose files are there. */
  readonly keep: readonly {
    /** 0 is the starting model. */
    readonly step: number;
    /** The first of its lambdas. */
    readonly from: number;
    /** The last. */
    readonly to: number;
  }[];
}

/**
 * Says which checkpoint of a training to keep, whatever program trained: draws the same prompts from the same noises with each and with the
 * starting model, scores the pictures, and writes a run's folder. What was judged before is not judged again.
 *
 * @throws UsageError on wrong settings, photos or files that cannot be put in order, ModelError on damaged ones or those of another model
 * @example
 * ```js
 * const { best, checkpoints } = await judge({
 *   checkpoints: "output/dog-*.safetensors",
 *   model: "sdxl",
 *   images: "my-dog",
 *   class: "dog",
 *   token: "ohwx",
 * });
 * console.log(checkpoints.find(({ step }) => step === best)?.file);
 * ```
 */
export async function judge(options: JudgeOptions): Promise<Judgement> {
  const { onEvent, signal, watch = false, checkpoints = [], ...settings } = options;
  signal?.throwIfAborted();
  const { resolveJudging } = await import("../commands/judge/resolve.ts");
  const given = { ...settings, checkpoints: typeof checkpoints === "string" ? [checkpoints] : checkpoints };
  const task = await resolveJudging({ settings: givenOf(given), watch }, programOf({ onEvent, signal }));
  const result = await runTask("judge", task, {
    onEvent(event) {
      // nothing asks for a cost here
      if (event.type !== "estimate") onEvent?.(worded(event));
    },
    signal,
  });
  return judgementOf(task.request.output, result);
}

/** What came of a judging, as programs are told. */
async function judgementOf(output: string, { reason, verdict }: JudgeResult): Promise<Judgement> {
  const checkpoints: JudgedCheckpoint[] = [];
  for (const { step, reward, alignI, alignT, progress, copies, pictures, gone, mayBeBest } of verdict.candidates) {
    const file = (await readJudged(join(output, checkpointPath(step))).catch(() => undefined))?.path;
    checkpoints.push({
      step,
      ...(file !== undefined && { file }),
      reward: reward.mean,
      standardError: reward.standardError,
      alignI: alignI.mean,
      alignT: alignT.mean,
      ...(progress && { likeness: progress.likeness.mean, obedience: progress.obedience.mean }),
      ...(copies !== undefined && { copies }),
      pictures,
      ...(gone !== undefined && { gone }),
      mayBeBest,
    });
  }
  const { lambda, best, bestOfAll, keep } = verdict;
  return { reason, output, lambda, best: best?.step, bestOfAll: bestOfAll?.step, checkpoints, keep };
}

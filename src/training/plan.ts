import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { CostEstimate } from "../runs/events.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { TrainingContext } from "./context.ts";
import { plainPrompts } from "./prompts.ts";
import type { Bucket } from "../images/buckets.ts";

/** What a training would do, everything loaded and checked, and a step and a picture's step measured. Plain data. */
export interface TrainPlan {
  /** With what the model and the machine decide. */
  readonly settings: TrainSettings;
  /** The files of the models, the photos and the prompts. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** What the model reads in training, and in validation. */
  readonly prompts: { readonly training: readonly string[]; readonly validation: readonly string[] };
  /** The photos' buckets, where they have them. */
  readonly buckets: readonly ({ readonly photo: string } & Bucket)[];
  /** What a step is fed, by name; with buckets, photos of the largest. */
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** What trains. */
  readonly trained: { readonly tensors: number; readonly numbers: number };
  /** Of the pictures: those of the starting model, and those of all rounds. */
  readonly startingPictures: number;
  readonly roundPictures: number;
  readonly cost: CostEstimate;
}

export async function planOf(context: TrainingContext, cost: CostEstimate): Promise<TrainPlan> {
  const { settings, provenance, photos, prompts, startingPictures, round, trainer } = context;
  const files: { path: string; bytes: number }[] = [];
  for (const path of Object.keys(provenance.hashes)) {
    const info = await stat(path).catch(() => undefined);
    // what a folder says of itself has no file
    if (info?.isFile() === true) files.push({ path, bytes: info.size });
  }
  const tensors = [...trainer.optimizer.parameters.values()];
  let roundPictures = 0;
  for (let step = 0; step < settings.steps; step++) roundPictures += round(step).length;
  const textsOf = (some: readonly { readonly text: string }[]) => some.map(({ text }) => text);
  return {
    settings,
    files,
    prompts: {
      training: textsOf([...plainPrompts(prompts), ...prompts.training]),
      validation: textsOf(prompts.validation),
    },
    buckets: photos.flatMap(({ path, bucket }) => (bucket === undefined ? [] : [{ photo: basename(path), ...bucket }])),
    inputs: [...trainer.inputs].map(([name, shape]) => ({ name, shape })),
    trained: { tensors: tensors.length, numbers: tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0) },
    startingPictures: startingPictures.length,
    roundPictures,
    cost,
  };
}

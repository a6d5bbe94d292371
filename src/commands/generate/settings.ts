import type { SamplerName } from "../../diffusion/create.ts";
import type { DrawingModelSettings } from "./drawing-model.ts";
import type { PictureRecord } from "./picture-record.ts";

export interface GenerateSettings extends DrawingModelSettings {
  readonly prompts: readonly string[];
  readonly negative: string | undefined;
  /** Whether (word:1.4) is a weight. Default: no. */
  readonly promptWeights?: boolean | undefined;
  /** Pictures for each prompt, from seeds `seed`, `seed` + 1, ... */
  readonly count: number;
  readonly seed: number;
  readonly sampler: SamplerName;
  readonly steps: number;
  readonly guidance: number;
  /** Default: the model's own. */
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly output: string;
  /** Whether pictures and prompts.json say what they were drawn with. Default: no. */
  readonly parameters?: boolean | undefined;
  /** How a picture was drawn that is to be drawn again: what differs is told. */
  readonly expected?: PictureRecord | undefined;
  /** Draws one picture again, with those that it was drawn with; `prompts`, `count` and `seed` are its own. Default: as these say. */
  readonly redraw?: PictureRecord["batch"] | undefined;
  /** Keeps pictures that are there already and draws the missing ones. Default: a picture that is there is an error. */
  readonly keep?: boolean;
}

export interface GeneratedPicture {
  readonly file: string;
  readonly prompt: string;
  readonly seed: number;
}

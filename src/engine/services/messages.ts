import type { SamplerName } from "../../diffusion/create.ts";
import type { Image } from "../../images/image.ts";
import type { Alignment } from "../../reward/reward.ts";
import type { DrawingModelSettings } from "../../commands/generate/drawing-model.ts";
import type { Failure } from "../../system/failure.ts";

/**
 * Models that stay loaded in a thread of their own and answer requests: each with its settings, the facts that are known once it is loaded,
 * its requests and replies. All of it is plain data.
 */
export interface Services {
  readonly pipeline: {
    settings: DrawingModelSettings;
    facts: { readonly resolution: number };
    request: DrawRequest;
    reply: readonly Image[];
  };
  readonly reward: {
    settings: RewardSettings;
    facts: undefined;
    request: ScoreRequest;
    reply: readonly Alignment[];
  };
}

export type ServiceName = keyof Services;

export interface DrawRequest {
  readonly pictures: readonly { readonly prompt: string; readonly seed: number }[];
  readonly negative?: string | undefined;
  readonly sampler: SamplerName;
  readonly steps: number;
  readonly guidance: number;
  /** Default: the model's own. */
  readonly height?: number | undefined;
  readonly width?: number | undefined;
}

export interface RewardSettings {
  /** A transformers folder with an ALIGN model. */
  readonly model: string;
  readonly threads: number;
}

/** A picture, or the path of its file. */
export type ImageSource = Image | string;

export interface ScoreRequest {
  /** The subject's photos, or the folder that holds them. */
  readonly references: string | readonly ImageSource[];
  readonly pictures: readonly ImageSource[];
  /** What each should show, without the identifier. */
  readonly texts: readonly string[];
}

export type ServiceEvent =
  | {
      readonly type: "progress";
      readonly phase: "loading" | "drawing" | "scoring";
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: "warning"; readonly text: string };

/** What a thread is started with. `stop` is shared memory: 1 asks it to give up what it is at. */
export interface ServiceStart<N extends ServiceName = ServiceName> {
  readonly service: N;
  readonly settings: Services[N]["settings"];
  readonly stop: Int32Array;
}

export type ToService =
  { readonly kind: "request"; readonly request: Services[ServiceName]["request"] } | { readonly kind: "release" };

export type FromService =
  | { readonly kind: "event"; readonly event: ServiceEvent }
  | { readonly kind: "loaded"; readonly facts: Services[ServiceName]["facts"] }
  | { readonly kind: "reply"; readonly reply: Services[ServiceName]["reply"] }
  | Failure;

import type { DrawingModelSettings } from "../../commands/generate/drawing-model.ts";
import type { SamplerName } from "../../diffusion/create.ts";
import type { Image } from "../../images/image.ts";
import type { Alignment } from "../../reward/reward.ts";
import type { Resource } from "../../runtime/resources.ts";
import type { SessionOptions } from "../../runtime/session-options.ts";
import type { WorkControl, WorkEvent } from "../../system/work.ts";

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
  /** Whether (word:1.4) is a weight. Default: no. */
  readonly promptWeights?: boolean | undefined;
  readonly sampler: SamplerName;
  readonly steps: number;
  readonly guidance: number;
  /** Default: the model's own. */
  readonly height?: number | undefined;
  readonly width?: number | undefined;
}

export interface RewardSettings extends Pick<SessionOptions, "threads" | "device" | "precision"> {
  /** A transformers folder with an ALIGN model. */
  readonly model: string;
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

export type ServiceEvent = WorkEvent<"loading" | "drawing" | "scoring">;

export type ServiceControl = WorkControl<ServiceEvent>;

/** A model that is loaded, in its thread. */
export interface Loaded<N extends ServiceName> extends Resource {
  readonly facts: Services[N]["facts"];
  /** @throws UsageError, ModelError; the signal's reason */
  answer(request: Services[N]["request"], control: ServiceControl): Promise<Services[N]["reply"]>;
}

/** Tells how far loading is, of so many steps. @throws the signal's reason when it is to be given up */
export function loadingOf({ emit, signal }: ServiceControl, total: number): (done: number) => void {
  return (done) => {
    signal.throwIfAborted();
    emit({ type: "progress", phase: "loading", done, total });
  };
}

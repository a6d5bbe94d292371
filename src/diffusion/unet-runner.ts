import { Graph } from "../graph/graph.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { unet } from "../models/unet/unet.ts";
import { withLora, type LoraConfig } from "../nn/lora.ts";
import { rootScope } from "../nn/scope.ts";
import type { StopFlag } from "../runtime/backends/backend.ts";
import { compile, type Compiled, type Parameters } from "../runtime/compile.ts";
import { createCompiledCache } from "../runtime/compiled-cache.ts";
import { dialectOfUnet } from "../runtime/mixed.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { checkFinite } from "../tensor/finite.ts";
import { float32, type Float32Tensor } from "../tensor/tensor.ts";

/** SDXL's conditions beside the text. */
export interface AddedConditions {
  /** [B, P] */
  readonly pooled: Float32Tensor;
  /** Height and width before cropping, top and left of the crop, height and width of the picture: [B, 6]. */
  readonly timeIds: Float32Tensor;
}

export interface UnetFeeds {
  /** Noisy latents, [B, C, h, w]. */
  readonly sample: Float32Tensor;
  /** [B] */
  readonly timestep: Float32Tensor;
  /** [B, L, D] */
  readonly text: Float32Tensor;
  readonly added?: AddedConditions | undefined;
}

/** A U-Net that predicts. */
export interface UnetRunner {
  readonly config: UnetConfig;
  /**
   * @param stop ends the prediction before its time
   * @returns the prediction, [B, C, h, w]
   * @throws ModelError unless numbers come out; Stopped
   */
  predict(feeds: UnetFeeds, stop?: StopFlag): Promise<Float32Tensor>;
  release(): Promise<void>;
}

export interface UnetRunnerOptions {
  readonly config: UnetConfig;
  /**
   * The weights, and the LoRA's among them. They are read at every prediction: a trainer may change their elements in between, but
   * must not put other tensors into the map.
   */
  readonly weights: Parameters;
  readonly lora?: LoraConfig | undefined;
  readonly session: SessionOptions;
  /** Where the weights are, for errors. */
  readonly name?: string | undefined;
}

/** Of a shape, as many as a few pictures take: capturing would cost these more than it saves. */
const FIRST_PREDICTIONS = 64;

/** A U-Net whose graphs are compiled when inputs of a new shape first come, and kept. */
export function createUnetRunner({
  config,
  weights,
  lora,
  session,
  name = "the U-Net",
}: UnetRunnerOptions): UnetRunner {
  const graphs = createCompiledCache<"prediction">();
  const compileFor = async ({ sample, timestep, text, added }: UnetFeeds): Promise<Compiled<"prediction">> => {
    const graph = new Graph();
    const root = rootScope(graph);
    const prediction = unet(lora === undefined ? root : withLora(root, lora), config, {
      sample: graph.input("sample", sample.shape),
      timestep: graph.input("timestep", timestep.shape),
      text: graph.input("text", text.shape),
      ...(added && {
        added: {
          pooled: graph.input("pooled", added.pooled.shape),
          timeIds: graph.input("timeIds", added.timeIds.shape),
        },
      }),
    });
    return compile(
      { prediction },
      { ...session, dialect: dialectOfUnet(session), parameters: weights, capturedAfter: FIRST_PREDICTIONS },
    );
  };
  return {
    config,
    async predict(feeds, stop) {
      const { added, sample, timestep, text } = feeds;
      const graph = await graphs.get(`${sample.shape.join()} ${text.shape.join()}`, () => compileFor(feeds));
      const { prediction } = await graph.run({ sample, timestep, text, ...added }, {}, stop);
      const predicted = float32(prediction.data, prediction.shape);
      checkFinite(predicted.data, name, "the prediction of a denoising step");
      return predicted;
    },
    release: () => graphs.release(),
  };
}

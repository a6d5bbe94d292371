import { putText, type TextModel } from "../diffusion/text-encoding.ts";
import { Graph } from "../graph/graph.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { unet } from "../models/unet/unet.ts";
import { pixelsPerLatent, type VaeConfig } from "../models/vae/config.ts";
import { decodeVae, encodeVae } from "../models/vae/vae.ts";
import { withLora, type LoraConfig } from "../nn/lora.ts";
import { rootScope, type Scope } from "../nn/scope.ts";
import type { Expected } from "./parameters.ts";
import { parametersOf, type Held } from "./part.ts";

/** The parameters of a pipeline's models: what their graphs declare. */

/** A U-Net's graph on the smallest inputs that it takes, for its parameters: they are the same whatever the sizes. */
export function unetGraph(config: UnetConfig, lora?: LoraConfig): Graph {
  const graph = new Graph();
  putUnet(lora === undefined ? rootScope(graph) : withLora(rootScope(graph), lora), config);
  return graph;
}

function putUnet(scope: Scope, config: UnetConfig): void {
  const { graph } = scope;
  const side = 2 ** (config.blockOutChannels.length - 1);
  const { addition } = config;
  unet(scope, config, {
    sample: graph.input("sample", [1, config.inChannels, side, side]),
    timestep: graph.input("timestep", [1]),
    text: graph.input("text", [1, 1, config.crossAttentionDim]),
    ...(addition && {
      added: {
        pooled: graph.input("pooled", [1, addition.inputDim - 6 * addition.timeEmbedDim]),
        timeIds: graph.input("timeIds", [1, 6]),
      },
    }),
  });
}

export function unetParameters(config: UnetConfig, held?: Held): Expected[] {
  return parametersOf((scope) => putUnet(scope, config), held);
}

export function vaeParameters(config: VaeConfig, held?: Held): Expected[] {
  const side = pixelsPerLatent(config);
  return parametersOf((scope) => {
    encodeVae(scope, config, scope.graph.input("pixels", [1, config.inChannels, side, side]));
    decodeVae(scope, config, scope.graph.input("latents", [1, config.latentChannels, 1, 1]));
  }, held);
}

export function textParameters(model: TextModel, length: number, held?: Held): Expected[] {
  return parametersOf((scope) => putText(scope, model, length), held);
}

import { Graph } from "../graph/graph.ts";
import type { Image } from "../images/image.ts";
import { preprocess } from "../images/processor.ts";
import { clipEosRows } from "../models/clip/text.ts";
import { rootScope } from "../nn/scope.ts";
import { compile } from "../runtime/compile.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import { float32, int32, stack, type Tensor } from "../tensor/tensor.ts";
import type { ImageTextEncoderPart } from "./encoders.ts";

/** Features of unit length. */
export type Feature = Float32Array;

/** An image-text model that is ready to run. */
export interface FeatureEncoder {
  /** One feature a picture; a picture's feature does not depend on what is encoded with it. */
  images(images: readonly Image[]): Promise<Feature[]>;
  texts(texts: readonly string[]): Promise<Feature[]>;
  release(): Promise<void>;
}

/**
 * Compiles an image-text model. The picture encoder's weights are stored in the session, laid out for the processor, which makes its
 * convolutions twice as fast; the text encoder gains nothing from that and takes them from the one copy in host memory.
 */
export async function createFeatureEncoder(
  part: ImageTextEncoderPart<object>,
  session: SessionOptions,
): Promise<FeatureEncoder> {
  const parameters = await part.load();
  const { height, width } = part.side;
  const { length } = part.tokenizer;

  const imageGraph = new Graph();
  const pixels = imageGraph.input("pixels", [1, 3, height, width]);
  const imageFeatures = part.imageFeatures(rootScope(imageGraph), pixels);
  const images = await compile({ features: imageFeatures }, { ...session, parameters, placement: "initializer" });

  const textGraph = new Graph();
  const inputs = {
    ids: textGraph.input("ids", [1, length], "int32"),
    mask: textGraph.input("mask", [1, length]),
    end: textGraph.input("end", [1], "int32"),
  };
  const texts = await compile(
    { features: part.textFeatures(rootScope(textGraph), inputs) },
    { ...session, parameters },
  );

  return {
    async images(pictures) {
      const out: Feature[] = [];
      for (const picture of pictures) {
        const { features } = await images.run({ pixels: stack([preprocess(part.processor, picture)]) });
        out.push(unitLength(features));
      }
      return out;
    },
    async texts(all) {
      const out: Feature[] = [];
      for (const text of all) {
        const { ids, attentionMask } = part.tokenizer.encode(text);
        const batch = int32(ids, [1, length]);
        const end = clipEosRows(batch, { eosTokenId: eosOf(part.config) });
        const { features } = await texts.run({ ids: batch, mask: float32(attentionMask, [1, length]), end });
        out.push(unitLength(features));
      }
      return out;
    },
    async release() {
      await images.release();
      await texts.release();
    },
  };
}

function unitLength({ data }: Tensor): Feature {
  let square = 0;
  for (const x of data) square += x * x;
  const norm = Math.sqrt(square);
  return Float32Array.from(data, (x) => x / norm);
}

/** CLIP's end token; other models have none and read other rows. */
function eosOf(config: object): number {
  return "text" in config && typeof config.text === "object" && config.text !== null && "eosTokenId" in config.text
    ? Number(config.text.eosTokenId)
    : -1;
}

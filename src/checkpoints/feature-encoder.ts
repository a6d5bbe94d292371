import { Graph } from "../graph/graph.ts";
import type { Image } from "../images/image.ts";
import { preprocess } from "../images/processor.ts";
import { rootScope } from "../nn/scope.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import { inFloat32, type SessionOptions } from "../runtime/session-options.ts";
import { assemble } from "../runtime/resources.ts";
import { ModelError } from "../system/errors.ts";
import type { Feature } from "../tensor/feature.ts";
import { checkFinite } from "../tensor/finite.ts";
import { float32, int32, stack, type Tensor } from "../tensor/tensor.ts";
import type { ImageEncoderPart, ImageTextEncoderPart } from "./encoders.ts";
import { whereOf } from "./part.ts";

/** A picture encoder that is ready to run. */
export interface ImageEncoder {
  /** One feature a picture; a picture's feature does not depend on what is encoded with it. */
  images(images: readonly Image[]): Promise<Feature[]>;
  release(): Promise<void>;
}

/** An image-text model that is ready to run. */
export interface FeatureEncoder extends ImageEncoder {
  texts(texts: readonly string[]): Promise<Feature[]>;
}

/** Compiles an image-text model. */
export async function createFeatureEncoder(
  part: ImageTextEncoderPart<object>,
  session: SessionOptions,
): Promise<FeatureEncoder> {
  const parameters = await part.load();
  const { length } = part.tokenizer;
  return assemble(async (own, release) => {
    const pictures = own(await compileImages(part, parameters, session));
    const features = own(await compileTexts(part, parameters, session));
    return {
      images: (all) => pictures.images(all),
      async texts(all) {
        const out: Feature[] = [];
        for (const text of all) {
          const { ids, attentionMask } = part.tokenizer.encode(text);
          const batch = int32(ids, [1, length]);
          const mask = float32(attentionMask, [1, length]);
          const end = part.endRows && { end: part.endRows(batch) };
          out.push(unitLength((await features.run({ ids: batch, mask, ...end })).features, whereOf(part), "a text"));
        }
        return out;
      },
      release,
    };
  });
}

/** The text encoder takes its weights from the one copy in host memory: storing them in the session gains nothing. */
function compileTexts(part: ImageTextEncoderPart<object>, parameters: Parameters, session: SessionOptions) {
  const { length } = part.tokenizer;
  const graph = new Graph();
  const inputs = {
    ids: graph.input("ids", [1, length], "int32"),
    mask: graph.input("mask", [1, length]),
    end: graph.input("end", [1], "int32"),
  };
  return compile({ features: part.textFeatures(rootScope(graph), inputs) }, { ...inFloat32(session), parameters });
}

/** Compiles a picture encoder. @param options.isUnit whether features have unit length, as what is compared has; else the length that the model gives them */
export async function createImageEncoder(
  part: ImageEncoderPart<object>,
  session: SessionOptions,
  { isUnit = true }: { readonly isUnit?: boolean } = {},
): Promise<ImageEncoder> {
  return compileImages(part, await part.load(), session, isUnit);
}

/** Weights are stored in the session, laid out for the processor, which makes convolutions twice as fast. */
async function compileImages(
  part: ImageEncoderPart<object>,
  parameters: Parameters,
  session: SessionOptions,
  isUnit = true,
): Promise<ImageEncoder> {
  const { height, width } = part.side;
  const graph = new Graph();
  const features = part.imageFeatures(rootScope(graph), graph.input("pixels", [1, 3, height, width]));
  const encoder = await compile({ features }, { ...inFloat32(session), parameters, placement: "initializer" });
  return {
    async images(pictures) {
      const out: Feature[] = [];
      for (const picture of pictures) {
        const run = await encoder.run({ pixels: stack([preprocess(part.processor, picture)]) });
        const unit = unitLength(run.features, whereOf(part), "a picture");
        out.push(isUnit ? unit : Float32Array.from(run.features.data));
      }
      return out;
    },
    release: () => encoder.release(),
  };
}

/** @throws ModelError naming the model, for features that have no direction: nothing could be compared with them */
function unitLength({ data }: Tensor, model: string, what: string): Feature {
  const features = Float32Array.from(data);
  checkFinite(features, model, `the features of ${what}`);
  let square = 0;
  for (const x of features) square += x * x;
  if (square === 0)
    throw new ModelError(
      `${model}: the features of ${what} are all zero, so that nothing is like it; are these whole, trained weights?`,
    );
  const norm = Math.sqrt(square);
  return features.map((x) => x / norm);
}

import { Graph } from "../../graph/graph.ts";
import { parseClipConfig, type ClipConfig } from "../../models/clip/config.ts";
import { clipEosRows, clipPooled, clipText, clipTextFeatures } from "../../models/clip/text.ts";
import { clipImageFeatures, clipVision } from "../../models/clip/vision.ts";
import { unitLength } from "../../models/common/embeddings.ts";
import { rootScope } from "../../nn/scope.ts";
import { Random } from "../../tensor/random.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { captionOf } from "../../world/caption.ts";
import { FRAME } from "../../world/compose.ts";
import { initialWeights } from "../initial.ts";
import type { Course } from "../loop.ts";
import type { PictureSet, Sample } from "../pictures.ts";
import { FIRST_LOG_SCALE } from "./align.ts";
import { pixelBatch } from "../pixels.ts";
import { createTextBatcher, meaningOf } from "./batches.ts";
import { captionLoss, positivesOf } from "./losses.ts";
import { CAPTION_LENGTH, CLIP_CONFIG, CLIP_RECIPE } from "./recipes.ts";

export interface ClipCourseOptions {
  readonly pictures: PictureSet;
  readonly tokenizer: Tokenizer;
  /** Ids of the tokenizer's special tokens, as configs name them. */
  readonly special: Readonly<Record<string, number>>;
  readonly steps?: number;
  readonly batch?: number;
}

export function clipJson(special: Readonly<Record<string, number>>) {
  return { ...CLIP_CONFIG, text_config: { ...CLIP_CONFIG.text_config, ...special } };
}

/**
 * CLIP's course: pictures and their captions. Every other batch is captioned with the class alone: among full captions most differ in
 * place or colour already, so that they teach hardly anything about things that look alike, such as cats and dogs.
 */
export function clipCourse(options: ClipCourseOptions): Course {
  const { pictures, tokenizer, steps = CLIP_RECIPE.steps, batch = CLIP_RECIPE.batch } = options;
  const config = parseClipConfig(clipJson(options.special), "clip");
  const graph = new Graph();
  const { images, texts } = features(graph, config, batch);
  const encode = createTextBatcher(tokenizer, CAPTION_LENGTH);
  const logScale = graph.parameter("logit_scale", []);
  return {
    name: "clip",
    initial: new Map([
      ...initialWeights(graph, new Random(0).split("clip")),
      ["logit_scale", float32([FIRST_LOG_SCALE], [])],
    ]),
    results: { loss: captionLoss(images, texts, logScale, graph.input("sameMeaning", [batch, batch])) },
    steps,
    rate: CLIP_RECIPE.rate,
    emaDecay: CLIP_RECIPE.emaDecay,
    feeds(step) {
      const rng = new Random(1).split("clip", step);
      const chosen = Array.from({ length: batch }, () => rng.integer(pictures.count));
      const tell = step % 2 === 0 ? (sample: Sample) => ofClassAlone(sample, rng) : (sample: Sample) => sample;
      const samples = chosen.map((i) => tell(pictures.sample(i)));
      const { ids } = encode(samples.map(({ caption }) => caption));
      return {
        pixels: pixelBatch(
          chosen.map((i) => pictures.pixels(i)),
          { rng },
        ),
        ids,
        end: clipEosRows(ids, config.text),
        sameMeaning: positivesOf(samples.map(({ scene }) => meaningOf(scene))),
      };
    },
  };
}

/** The sample as if its scene showed nothing to speak of but the thing itself. */
function ofClassAlone({ scene: { instance, view, seed } }: Sample, rng: Random): Sample {
  const scene = { instance, view, seed };
  return { scene, caption: captionOf(scene, rng) };
}

function features(graph: Graph, { text, vision, projectionDim }: ClipConfig, batch: number) {
  const scope = rootScope(graph);
  const pixels = graph.input("pixels", [batch, 3, FRAME, FRAME]);
  const ids = graph.input("ids", [batch, CAPTION_LENGTH], "int32");
  const end = graph.input("end", [batch], "int32");
  const { last } = clipText(scope.at("text_model"), text, ids);
  return {
    images: unitLength(clipImageFeatures(scope, clipVision(scope.at("vision_model"), vision, pixels), projectionDim)),
    texts: unitLength(clipTextFeatures(scope, clipPooled(last, end), projectionDim)),
  };
}

import { Graph, type Value } from "../../graph/graph.ts";
import { add, mul, slice } from "../../graph/ops/index.ts";
import { parseAlignConfig, type AlignConfig } from "../../models/align/config.ts";
import { byBatchStatistics } from "../../models/align/norm.ts";
import { alignTextFeatures } from "../../models/align/text.ts";
import { alignImageFeatures } from "../../models/align/vision.ts";
import { unitLength } from "../../models/common/embeddings.ts";
import { rootScope } from "../../nn/scope.ts";
import { Random } from "../../tensor/random.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { FRAME } from "../../world/compose.ts";
import { initialWeights } from "../initial.ts";
import type { Course } from "../loop.ts";
import type { PictureSet } from "../pictures.ts";
import { dealPairs, type Album } from "./albums.ts";
import { pixelBatch } from "../pixels.ts";
import { createTextBatcher, meaningOf } from "./batches.ts";
import { captionLoss, instanceLoss, positivesOf } from "./losses.ts";
import { ALIGN_CONFIG, ALIGN_RECIPE, CAPTION_LENGTH } from "./recipes.ts";

export interface AlignCourseOptions {
  readonly pictures: PictureSet;
  readonly album: Album;
  readonly tokenizer: Tokenizer;
  readonly steps?: number;
  readonly batch?: number;
}

/** What the scale of cosines begins at: 1 / 0.07. */
export const FIRST_LOG_SCALE = Math.log(1 / 0.07);

export function alignConfig(vocabularySize: number): AlignConfig {
  return parseAlignConfig(alignJson(vocabularySize), "align");
}

export function alignJson(vocabularySize: number) {
  return { ...ALIGN_CONFIG, text_config: { ...ALIGN_CONFIG.text_config, vocab_size: vocabularySize } };
}

/**
 * ALIGN's course: half of a batch are pairs of views of instances, half are scenes of all kinds. All meet their captions; the pairs
 * must also find each other, so that picture features know instances. The parameter `logit_scale` is the logarithm of 1 / temperature.
 */
export function alignCourse(options: AlignCourseOptions): Course {
  const { pictures, album, tokenizer, steps = ALIGN_RECIPE.steps, batch = ALIGN_RECIPE.batch } = options;
  const config = alignConfig(tokenizer.vocabularySize);
  const paired = batch / 2;
  const graph = new Graph();
  const scope = rootScope(graph);
  const pixels = graph.input("pixels", [batch, 3, FRAME, FRAME]);
  const ids = graph.input("ids", [batch, CAPTION_LENGTH], "int32");
  const mask = graph.input("mask", [batch, CAPTION_LENGTH]);
  const images = unitLength(
    alignImageFeatures(scope, config.vision, pixels, byBatchStatistics(new Map<string, Value>())),
  );
  const texts = unitLength(alignTextFeatures(scope, config, ids, mask));
  const caption = captionLoss(
    images,
    texts,
    graph.parameter("logit_scale", []),
    graph.input("sameMeaning", [batch, batch]),
  );
  const instance = instanceLoss(
    slice(images, 0, 0, paired),
    graph.input("sameInstance", [paired, paired]),
    ALIGN_RECIPE.instanceTemperature,
  );
  const encode = createTextBatcher(tokenizer, CAPTION_LENGTH);
  return {
    name: "align",
    initial: new Map([
      ...initialWeights(graph, new Random(0).split("align")),
      ["logit_scale", float32([FIRST_LOG_SCALE], [])],
    ]),
    results: { loss: add(caption, mul(instance, ALIGN_RECIPE.instanceWeight)), caption, instance },
    steps,
    rate: ALIGN_RECIPE.rate,
    emaDecay: ALIGN_RECIPE.emaDecay,
    feeds(step) {
      const rng = new Random(1).split("align", step);
      const pairs = dealPairs(album, rng, paired / 2, ALIGN_RECIPE.classes);
      const others = Array.from({ length: batch - paired }, () => rng.integer(pictures.count));
      const samples = [...pairs.map((i) => album.pictures.sample(i)), ...others.map((i) => pictures.sample(i))];
      const images = [...pairs.map((i) => album.pictures.pixels(i)), ...others.map((i) => pictures.pixels(i))];
      return {
        pixels: pixelBatch(images, { rng }),
        ...encode(samples.map(({ caption }) => caption)),
        sameMeaning: positivesOf(samples.map(({ scene }) => meaningOf(scene))),
        sameInstance: positivesOf(
          pairs.map((i) => String(Math.floor(i / album.views))),
          { withoutSelf: true },
        ),
      };
    },
  };
}

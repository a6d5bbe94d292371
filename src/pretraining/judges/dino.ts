import { Graph } from "../../graph/graph.ts";
import { unitLength } from "../../models/common/embeddings.ts";
import { parseDinoConfig } from "../../models/dino/config.ts";
import { dino } from "../../models/dino/dino.ts";
import { rootScope } from "../../nn/scope.ts";
import { Random } from "../../tensor/random.ts";
import { FRAME } from "../../world/compose.ts";
import { initialWeights } from "../initial.ts";
import type { Course } from "../loop.ts";
import { dealPairs, type Album } from "./albums.ts";
import { pixelBatch } from "../pixels.ts";
import { instanceLoss, positivesOf } from "./losses.ts";
import { DINO_CONFIG, DINO_RECIPE } from "./recipes.ts";

export interface DinoCourseOptions {
  readonly album: Album;
  readonly steps?: number;
  readonly batch?: number;
}

/** The course of the judge of identity: two views of an instance find each other among views of other instances of their class. */
export function dinoCourse({ album, steps = DINO_RECIPE.steps, batch = DINO_RECIPE.batch }: DinoCourseOptions): Course {
  const graph = new Graph();
  const pixels = graph.input("pixels", [batch, 3, FRAME, FRAME]);
  const features = unitLength(dino(rootScope(graph), parseDinoConfig(DINO_CONFIG, "dino"), pixels));
  const sameInstance = graph.input("sameInstance", [batch, batch]);
  return {
    name: "dino",
    initial: initialWeights(graph, new Random(0).split("dino")),
    results: { loss: instanceLoss(features, sameInstance, DINO_RECIPE.instanceTemperature) },
    steps,
    rate: DINO_RECIPE.rate,
    emaDecay: DINO_RECIPE.emaDecay,
    feeds(step) {
      const rng = new Random(1).split("dino", step);
      const pairs = dealPairs(album, rng, batch / 2, DINO_RECIPE.classes);
      return {
        pixels: pixelBatch(
          pairs.map((i) => album.pictures.pixels(i)),
          { rng },
        ),
        sameInstance: positivesOf(
          pairs.map((i) => String(Math.floor(i / album.views))),
          { withoutSelf: true },
        ),
      };
    },
  };
}

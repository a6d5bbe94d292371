import { join } from "node:path";
import { openAlign, openClip, openDino } from "../../checkpoints/encoders.ts";
import { createFeatureEncoder } from "../../checkpoints/feature-encoder.ts";
import { readConfig } from "../../checkpoints/weights.ts";
import { Graph } from "../../graph/graph.ts";
import type { Image } from "../../images/image.ts";
import { preprocess } from "../../images/processor.ts";
import { readImage } from "../../images/read.ts";
import { rootScope } from "../../nn/scope.ts";
import { compile } from "../../runtime/compile.ts";
import { withResources } from "../../runtime/resources.ts";
import { float32, int32, stack, type Tensor } from "../../tensor/tensor.ts";
import { promptsOf, SESSION, type ParityCase, type Solver } from "./case.ts";

/** Pictures and prompts to an encoder's inputs and features. */
export const solveImage: Solver = async (parityCase) => {
  const { checkpoint } = parityCase;
  const images = await Promise.all(imagePaths(parityCase).map(readImage));
  const type = (await readConfig(checkpoint))["model_type"];
  if (type === "vit") return solveDino(checkpoint, images);
  const encoder = await (type === "align" ? openAlign(checkpoint) : openClip(checkpoint));
  const prompts = promptsOf(parityCase);
  const ids = prompts.flatMap((prompt) => [...encoder.tokenizer.encode(prompt).ids]);
  return withResources(async (own) => {
    const model = own(await createFeatureEncoder(encoder, SESSION));
    return new Map<string, Tensor>([
      ["pixels", stack(images.map((image) => preprocess(encoder.processor, image)))],
      ["ids", int32(ids, [prompts.length, encoder.tokenizer.length])],
      ["image", rows(await model.images(images))],
      ["text", rows(await model.texts(prompts))],
    ]);
  });
};

/** The class token's states, as they are. */
async function solveDino(checkpoint: string, images: readonly Image[]): Promise<Map<string, Tensor>> {
  const encoder = await openDino(checkpoint);
  const pixels = stack(images.map((image) => preprocess(encoder.processor, image)));
  const graph = new Graph();
  const image = encoder.imageFeatures(rootScope(graph), graph.input("pixels", pixels.shape));
  const parameters = await encoder.load();
  const states = await withResources(async (own) =>
    own(await compile({ image }, { ...SESSION, parameters })).run({ pixels }),
  );
  return new Map<string, Tensor>([
    ["pixels", pixels],
    ["image", states.image],
  ]);
}

/** images/0.png, 1.png, ..., one for each row of the expected pixels. */
function imagePaths({ folder, expected }: ParityCase): string[] {
  const count = expected.get("pixels")?.shape[0] ?? 0;
  return Array.from({ length: count }, (_, i) => join(folder, "images", `${i}.png`));
}

function rows(vectors: readonly Float32Array[]): Tensor {
  return stack(vectors.map((vector) => float32(vector)));
}

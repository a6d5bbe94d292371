import type { ModelIndex } from "../checkpoints/model-index.ts";
import { ModelError } from "../tensor/errors.ts";

/** @throws ModelError on a model that can be drawn with and not trained */
export function checkFamily(model: string, family: ModelIndex["family"]): void {
  if (family === "sdxl")
    throw new ModelError(`${model}: training an SDXL model is not supported, only Stable Diffusion 1.x and 2.x`);
}

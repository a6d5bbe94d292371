import type { Value } from "../graph/graph.ts";
import { add, mean, mul, slice, sqrt, sub } from "../graph/ops/index.ts";
import type { AutoencoderRecipe } from "./recipes.ts";

/**
 * How far decoded pictures are from the true ones, both [B, 3, H, W]: absolute and squared differences, and those of neighbouring
 * pixels' differences, which keep edges sharp. `square` is the mean squared difference alone.
 */
export function fidelityOf(
  decoded: Value,
  pixels: Value,
  { squareWeight, gradientWeight }: Pick<AutoencoderRecipe, "squareWeight" | "gradientWeight">,
): { fidelity: Value; square: Value } {
  const difference = sub(decoded, pixels);
  const absolute = mean(magnitude(difference));
  const square = mean(mul(difference, difference));
  const edges = add(mean(magnitude(neighbourSteps(difference, 2))), mean(magnitude(neighbourSteps(difference, 3))));
  return { fidelity: add(add(absolute, mul(square, squareWeight)), mul(edges, gradientWeight)), square };
}

/** |x|, smooth at zero. */
function magnitude(x: Value): Value {
  return sqrt(add(mul(x, x), 1e-6));
}

/** Differences of neighbours along an axis. */
function neighbourSteps(x: Value, axis: number): Value {
  const size = x.shape[axis];
  return sub(slice(x, axis, 1, size), slice(x, axis, 0, size - 1));
}

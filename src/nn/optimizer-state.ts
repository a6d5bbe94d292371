import type { SafetensorsFile } from "../tensor/safetensors.ts";
import { sizeOf, type Float32Tensor } from "../tensor/tensor.ts";
import { UsageError } from "../system/errors.ts";
import type { OptimizerState } from "./kept-state.ts";

/** How an optimizer lies in a safetensors file: param.NAME, first.NAME and second.NAME, with Prodigy weighted.NAME, and more kinds if the caller has some. */

type Tensors = ReadonlyMap<string, Float32Tensor>;

function kindsOf(
  { parameters, moments }: OptimizerState,
  more: Readonly<Record<string, Tensors>>,
): [string, Tensors][] {
  const { first, second, weighted } = moments;
  return Object.entries({ param: parameters, first, second, ...(weighted !== undefined && { weighted }), ...more });
}

/** The tensors to write. */
export function optimizerTensors(
  optimizer: OptimizerState,
  more: Readonly<Record<string, Tensors>> = {},
): { name: string; tensor: Float32Tensor }[] {
  return kindsOf(optimizer, more).flatMap(([kind, tensors]) =>
    [...tensors].map(([name, tensor]) => ({ name: `${kind}.${name}`, tensor })),
  );
}

/**
 * Puts a file's tensors into the optimizer's own buffers, and those of `more`.
 * @throws UsageError when they are of other weights, ModelError when the file is damaged
 */
export async function restoreOptimizer(
  file: SafetensorsFile,
  optimizer: OptimizerState,
  more: Readonly<Record<string, Tensors>> = {},
): Promise<void> {
  for (const [kind, tensors] of kindsOf(optimizer, more))
    for (const [name, { data }] of tensors) {
      const key = `${kind}.${name}`;
      const size = sizeOf(file.tensors.get(key)?.shape ?? [data.length]);
      if (size !== data.length)
        throw new UsageError(
          `${file.path}: ${name} has ${size} elements, the model's ${data.length}: is this another model?`,
        );
      data.set((await file.read(key)).data);
    }
}

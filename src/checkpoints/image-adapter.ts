import { join } from "node:path";
import { imageAdapterShapes } from "../models/common/image-adapter.ts";
import { ModelError } from "../system/errors.ts";
import { allFinite } from "../tensor/finite.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { openTorchFile } from "./torch-files/torch-file.ts";
import { isKind } from "./torch-files/values.ts";
import { writeTorchFile } from "./torch-files/write.ts";

/** DisenBooth's image adapter beside a LoRA, as its authors' script saves it. */
export const IMAGE_ADAPTER_FILE = "adapter.pt";

/** @param parameters by the names that the authors' module has for them */
export async function writeImageAdapter(folder: string, parameters: ReadonlyMap<string, Float32Tensor>): Promise<void> {
  await writeTorchFile(join(folder, IMAGE_ADAPTER_FILE), parameters);
}

/**
 * Reads the image adapter of a folder, running nothing in it.
 * @param width of the model's texts
 * @throws ModelError when it is no such file, damaged, or of another model
 */
export async function readImageAdapter(folder: string, width: number): Promise<Map<string, Float32Tensor>> {
  const path = join(folder, IMAGE_ADAPTER_FILE);
  const file = await openTorchFile(path);
  const expected = imageAdapterShapes(width);
  const read = new Map<string, Float32Tensor>();
  for (const [name, shape] of expected) {
    const tensor = file.value instanceof Map ? file.value.get(name) : undefined;
    if (!isKind(tensor, "tensor"))
      throw new ModelError(
        `${path}: ${name} is missing, expected an image adapter: ${[...expected.keys()].join(", ")}`,
      );
    if (tensor.shape.join() !== shape.join())
      throw new ModelError(
        `${path}: ${name} has shape [${tensor.shape.join(", ")}], the model takes [${shape.join(", ")}]; is the image adapter of another model?`,
      );
    const numbers = await file.read(tensor, name);
    if (!allFinite(numbers.data)) throw new ModelError(`${path}: ${name} holds NaN or infinity: the file is damaged`);
    read.set(name, numbers);
  }
  return read;
}

import { ModelError } from "../../system/errors.ts";
import type { SafetensorsFile } from "../../tensor/safetensors.ts";
import { toHalf } from "../../tensor/half.ts";
import { float32, sizeOf, zeros, type Float32Tensor, type Shape, type Tensor } from "../../tensor/tensor.ts";
import { some, type Expected } from "../parameters.ts";
import type { Weights } from "../weights.ts";

/** Where a file has a parameter. */
export interface Source {
  readonly name: string;
  /** The parameter is this third of the tensor's rows. */
  readonly third?: number;
  /** The tensor is the parameter's transpose. */
  readonly transposed?: boolean;
}

/**
 * A part of a file as a model's weights under the names of diffusers and transformers.
 * @param sources by name, of every parameter that the model has
 * @throws ModelError naming the tensors that the file lacks
 */
export function partOfFile(file: SafetensorsFile, sources: ReadonlyMap<string, Source>): Weights {
  const missing = [...new Set([...sources.values()].map(({ name }) => name))].filter((name) => !file.tensors.has(name));
  if (missing.length > 0) throw new ModelError(`${file.path}: ${some(missing, "tensor", "missing")}`);
  const sourceOf = (name: string): Source => {
    const source = sources.get(name);
    if (source === undefined) throw new ModelError(`${file.path}: there is no tensor for ${name}`);
    return source;
  };
  return {
    folder: file.path,
    names: [...sources.keys()],
    files: [{ path: file.path, size: file.size }],
    shapeOf(name) {
      const source = sources.get(name);
      const shape = source && file.tensors.get(source.name)?.shape;
      return shape && shapeWithin(shape, source);
    },
    async read(name) {
      const source = sourceOf(name);
      return takeFrom(await file.read(source.name), source, file.path);
    },
    async readHalf(name) {
      const source = sourceOf(name);
      if (isWhole(source)) return file.readHalf(source.name);
      return toHalf(floats(takeFrom(await file.read(source.name), source, file.path), source, file.path));
    },
  };
}

/** Sources of a model's parameters under a prefix. */
export function sourcesOf(
  expected: readonly Expected[],
  prefix: string,
  sourceOf: (name: string) => Source,
): Map<string, Source> {
  return new Map(
    expected.map(({ name }) => {
      const source = sourceOf(name);
      return [name, { ...source, name: prefix + source.name }];
    }),
  );
}

function shapeWithin(shape: Shape, { third, transposed }: Source): Shape {
  if (third !== undefined) return [Math.floor((shape[0] ?? 0) / 3), ...shape.slice(1)];
  return transposed === true ? shape.toReversed() : shape;
}

/** Whether the parameter is the tensor as it is. */
function isWhole({ third, transposed }: Source): boolean {
  return third === undefined && transposed !== true;
}

function floats(tensor: Tensor, source: Source, path: string): Float32Tensor {
  if (tensor.dtype !== "float32")
    throw new ModelError(`${path}: ${source.name} holds integers, expected floating-point numbers`);
  return tensor;
}

function takeFrom(tensor: Tensor, source: Source, path: string): Tensor {
  const { third, transposed } = source;
  if (isWhole(source)) return tensor;
  const whole = floats(tensor, source, path);
  const shape = shapeWithin(whole.shape, source);
  if (transposed === true) return transpose(whole);
  const size = sizeOf(shape);
  return float32(whole.data.slice((third ?? 0) * size, ((third ?? 0) + 1) * size), shape);
}

/** [rows, columns] -> [columns, rows] */
function transpose({ data, shape: [rows, columns] }: Float32Tensor): Float32Tensor {
  const out = zeros([columns, rows]);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out.data[column * rows + row] = data[row * columns + column];
  return out;
}

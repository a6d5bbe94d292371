import { ModelError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { allFinite } from "../tensor/finite.ts";
import { isFiniteHalf } from "../tensor/half.ts";
import { sameShape, type Float32Tensor, type Shape, type Weight } from "../tensor/tensor.ts";
import { NEVER_READ, presentName, spellings } from "./names.ts";
import type { Weights } from "./weights.ts";

export interface Expected {
  readonly name: string;
  readonly shape: Shape;
}

export interface LoadOptions {
  /** The parameter that a tensor in the file is, where the names differ; undefined for one that is not needed. */
  readonly rename?: (name: string) => string | undefined;
  /** Tensors that are surplus in every checkpoint of the kind: no warning for them. */
  readonly ignore?: readonly RegExp[];
  /** Prefixes that names in the file may have or lack. Default: `text_model.`. */
  readonly prefixes?: readonly string[];
  /** Told once, in a line, about tensors that nothing needs. */
  readonly warn?: (line: string) => void;
}

/**
 * Reads a model's parameters, one after the other.
 *
 * Legacy names are understood, and a 1x1 convolution's kernel [out, in, 1, 1] passes for a matrix [out, in] and the reverse.
 *
 * @returns Each expected name with its tensor, in the order of `expected`.
 * @throws ModelError that names the missing tensors, or those of another shape or kind.
 */
export async function loadParameters(
  weights: Weights,
  expected: Iterable<Expected>,
  options: LoadOptions = {},
): Promise<Map<string, Float32Tensor>> {
  return readAll(weights, expected, options, readFloats);
}

/**
 * {@link loadParameters} with matrices and kernels in half precision. Biases and the scales of norms, which are small, stay in float32.
 * @throws ModelError also where a number is too large for it
 */
export async function loadHalved(
  weights: Weights,
  expected: Iterable<Expected>,
  options: LoadOptions = {},
): Promise<Map<string, Weight>> {
  return readAll<Weight>(weights, expected, options, async (from, source, shape) => {
    if (shape.length < 2) return readFloats(from, source);
    const tensor = await from.readHalf(source);
    if (!isFiniteHalf(tensor.data))
      throw new ModelError(
        say`${from.folder}: ${source} holds numbers above 65504, which float16 cannot, or none at all; use ${setting("precision", "float32")}`,
      );
    return tensor;
  });
}

async function readFloats(weights: Weights, source: string): Promise<Float32Tensor> {
  const tensor = await weights.read(source);
  if (tensor.dtype !== "float32")
    throw new ModelError(`${weights.folder}: ${source} holds integers, expected floating-point numbers`);
  if (!allFinite(tensor.data))
    throw new ModelError(`${weights.folder}: ${source} holds NaN or infinity: the file is damaged`);
  return tensor;
}

async function readAll<T extends Weight>(
  weights: Weights,
  expected: Iterable<Expected>,
  { rename, ignore = [], prefixes = ["text_model."], warn }: LoadOptions,
  read: (weights: Weights, source: string, shape: Shape) => Promise<T>,
): Promise<Map<string, T>> {
  const wanted = [...expected];
  const sources = new Map<string, string>();
  for (const name of weights.names) {
    const target = rename === undefined ? presentName(name) : rename(name);
    // a tensor under its present name goes before one under an old name
    if (target !== undefined && (target === name || !sources.has(target))) sources.set(target, name);
  }
  const plan = wanted.map(({ name, shape }) => {
    const spelling = spellings(name, prefixes).find((candidate) => sources.has(candidate));
    return { name, shape, source: spelling === undefined ? undefined : sources.get(spelling) };
  });
  check(weights, plan);
  const used = new Set(plan.map(({ source }) => source));
  const known = [...NEVER_READ, ...ignore];
  const surplus = weights.names.filter((name) => !used.has(name) && !known.some((pattern) => pattern.test(name)));
  if (surplus.length > 0) warn?.(`${weights.folder}: ${some(surplus, "tensor", "not used")}`);

  const parameters = new Map<string, T>();
  for (const { name, shape, source } of plan)
    if (source !== undefined) parameters.set(name, { ...(await read(weights, source, shape)), shape });
  return parameters;
}

function check(weights: Weights, plan: readonly (Expected & { readonly source: string | undefined })[]): void {
  const missing = plan.filter(({ source }) => source === undefined).map(({ name }) => name);
  const misshapen = plan.flatMap(({ shape, source }) => {
    const came = source === undefined ? undefined : weights.shapeOf(source);
    return source === undefined || came === undefined || sameMatrix(shape, came)
      ? []
      : [`${source} has shape [${came.join(", ")}], expected [${shape.join(", ")}]`];
  });
  const foreign = plan.length >= FEW_TENSORS && missing.length + misshapen.length > plan.length / 2;
  const shown = foreign ? 1 : SHOWN;
  const problems: string[] = [];
  if (missing.length > 0) problems.push(some(missing, "tensor", "missing", shown));
  if (misshapen.length > 0)
    problems.push(some(misshapen, "tensor", "of a shape that config.json does not imply", shown));
  if (foreign) problems.push("are these weights of another model?");
  if (problems.length > 0) throw new ModelError(`${weights.folder}: ${problems.join("; ")}`);
}

/** Where a model has no more tensors than this, most of them may be wrong without the file being another model's. */
const FEW_TENSORS = 12;

/** How many tensors a message names. */
const SHOWN = 4;

/** `2 tensors missing: a, b`: how many, and the first few. */
export function some(items: readonly string[], noun: string, state: string, shown = SHOWN): string {
  const names = items.slice(0, shown).join(", ");
  return `${items.length} ${noun}${items.length > 1 ? "s" : ""} ${state}: ${names}${items.length > shown ? ", ..." : ""}`;
}

/** Equal, but for the two trailing ones that a 1x1 convolution's kernel has and a linear layer's matrix has not. */
function sameMatrix(a: Shape, b: Shape): boolean {
  const matrix = (shape: Shape) => (shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape);
  return sameShape(matrix(a), matrix(b));
}

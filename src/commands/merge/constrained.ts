import { cholesky, solveInPlace, type Cholesky } from "../../tensor/cholesky.ts";
import { sizeOf, type Float32Tensor } from "../../tensor/tensor.ts";

/** Custom Diffusion's merge (arXiv 2212.04488, Eq. 4), as its authors' `composenW.py` has it. */

/** A subject's own keys and values, and the texts that are to be read by them. */
export interface Concept {
  /** [m, D]: what the text encoder makes of its words. */
  readonly features: Float32Tensor;
  /** By the U-Net's names, [out, D]. */
  readonly weights: ReadonlyMap<string, Float32Tensor>;
}

/** What keeps a merge from being computed. */
export class Unsolvable extends Error {
  /** Whether it is the regularising texts that are too few, or the subjects' that say the same. */
  readonly of: "regularizer" | "concepts";
  constructor(of: "regularizer" | "concepts") {
    super(of === "regularizer" ? "texts span too little" : "subjects' texts are not independent");
    this.of = of;
  }
}

/**
 * Merges matrices of several subjects into one each, with K the features of texts in general and c, v those of the subjects' texts and what
 * their own matrices make of them:
 *
 *     min ‖W Kᵀ - W₀ Kᵀ‖  such that  W cᵀ = v
 *     d = c C⁻¹ with C = Kᵀ K,  W = W₀ + (v - W₀ cᵀ) (d cᵀ)⁻¹ d
 *
 * @param regularizer K, [n, D]
 * @param base W₀ by the U-Net's names, [out, D] each
 * @throws Unsolvable
 */
export function mergeConstrained(
  base: ReadonlyMap<string, Float32Tensor>,
  concepts: readonly Concept[],
  regularizer: Float32Tensor,
): Map<string, Float32Tensor> {
  const [, width] = regularizer.shape;
  const gram = factor(gramOf(regularizer), width, "regularizer");
  const rows = distinctRows(concepts);
  const d = rows.map(({ row }) => solveInPlace(gram, Float64Array.from(row)));
  const e2 = Float64Array.from({ length: rows.length ** 2 }, (_, at) =>
    dot(d[Math.floor(at / rows.length)], rows[at % rows.length].row),
  );
  const between = factor(e2, rows.length, "concepts");
  return new Map([...base].map(([name, weight]) => [name, mergeOne(name, weight, { concepts, rows, d, between })]));
}

interface Row {
  readonly row: Float32Array;
  readonly concept: number;
}

/** W₀ + (v - W₀ cᵀ) (d cᵀ)⁻¹ d, a row of W at a time. */
function mergeOne(
  name: string,
  base: Float32Tensor,
  {
    concepts,
    rows,
    d,
    between,
  }: { concepts: readonly Concept[]; rows: readonly Row[]; d: readonly Float64Array[]; between: Cholesky },
): Float32Tensor {
  const [out, width] = base.shape;
  const own = concepts.map(({ weights }) => weights.get(name) ?? base);
  const merged = new Float32Array(sizeOf(base.shape));
  for (let i = 0; i < out; i++) {
    const before = base.data.subarray(i * width, (i + 1) * width);
    const missing = Float64Array.from(rows, ({ row, concept }) => {
      const { data } = own[concept];
      return dot(data.subarray(i * width, (i + 1) * width), row) - dot(before, row);
    });
    // d cᵀ = c C⁻¹ cᵀ is symmetric
    solveInPlace(between, missing);
    for (let j = 0; j < width; j++) merged[i * width + j] = missing.reduce((sum, x, k) => sum + x * d[k][j], before[j]);
  }
  return { ...base, data: merged };
}

/** The subjects' rows; of equal ones the first. */
function distinctRows(concepts: readonly Concept[]): Row[] {
  const rows: Row[] = [];
  for (const [concept, { features }] of concepts.entries()) {
    const [count, width] = features.shape;
    for (let i = 0; i < count; i++) {
      const row = features.data.subarray(i * width, (i + 1) * width);
      if (!rows.some((other) => other.row.every((x, j) => x === row[j]))) rows.push({ row, concept });
    }
  }
  return rows;
}

/** Kᵀ K in double precision; the lower half. */
function gramOf({ data, shape: [count, width] }: Float32Tensor): Float64Array {
  const gram = new Float64Array(width * width);
  for (let n = 0; n < count; n++) {
    const row = data.subarray(n * width, (n + 1) * width);
    for (let i = 0; i < width; i++) {
      const x = row[i];
      for (let j = 0, at = i * width; j <= i; j++, at++) gram[at] += x * row[j];
    }
  }
  return gram;
}

function factor(matrix: Float64Array, size: number, of: Unsolvable["of"]): Cholesky {
  const found = cholesky(matrix, size);
  if (found === undefined) throw new Unsolvable(of);
  return found;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

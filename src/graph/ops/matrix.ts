import { halvesIn } from "../../tensor/half.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { describe, type Value } from "../graph.ts";
import { defineOp, ShapeError, type OnnxCall, type OperandType } from "../op.ts";
import { broadcastShapes } from "../shapes.ts";
import { reshape } from "./layout.ts";

/** Matrix products. */

export interface MatmulAttributes {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
}

/** The place of a call's constant behind both operands. */
const CONSTANT = 2;

const flag = (on: boolean) => (on ? 1 : 0);

/** The last two dimensions as rows and columns after an optional transposition. */
function matrix(x: Pick<OperandType, "shape">, transposed: boolean): [rows: number, columns: number] {
  const [rows, columns] = x.shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}

export const matrixOps = {
  // Y = α A B; dA = α dY Bᵀ, dB = α Aᵀ dY, and transposed where A or B is; leading axes are batches and broadcast
  matmul: defineOp<MatmulAttributes>({
    infer([a, b], { transA, transB }) {
      const [m, k] = matrix(a, transA);
      const [k2, n] = matrix(b, transB);
      if (a.shape.length < 2 || b.shape.length < 2 || k !== k2)
        throw new ShapeError(`matmul: ${describe(a)}${transA ? "ᵀ" : ""} times ${describe(b)}${transB ? "ᵀ" : ""}`);
      return [
        { dtype: a.dtype, shape: [...broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n] },
      ];
    },
    onnx: (attributes, [a, b], { fusedMatMul }) => {
      const { transA, transB, alpha } = attributes;
      const all = { transA: flag(transA), transB: flag(transB), alpha: { float: alpha } };
      if (fusedMatMul) return { type: "FusedMatMul", domain: "com.microsoft", attributes: all };
      const matrices = a.shape.length === 2 && b.shape.length === 2;
      return matrices ? { type: "Gemm", attributes: all } : standardProduct(attributes, a, b);
    },
    gradient({ grad, inputs: [a, b], attributes: { transA, transB, alpha }, needs }) {
      const da = () =>
        transA ? matmul(b, grad, { transA: transB, transB: true, alpha }) : matmul(grad, b, { transB: !transB, alpha });
      const db = () => {
        if (b.shape.length === 2 && a.shape.length > 2 && !transA) {
          // one product over all rows instead of one a batch and a sum
          const rows = (x: Value) => reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape[x.shape.length - 1]]);
          return transB
            ? matmul(rows(grad), rows(a), { transA: true, alpha })
            : matmul(rows(a), rows(grad), { transA: true, alpha });
        }
        return transB
          ? matmul(grad, a, { transA: true, transB: transA, alpha })
          : matmul(a, grad, { transA: !transA, alpha });
      };
      return [needs(0) ? da() : undefined, needs(1) ? db() : undefined];
    },
  }),
  // Y = α A B' + C with B' = Bᵀ where transB, on matrices; dA = α dY B'ᵀ, dB' = α Aᵀ dY, dC = dY
  gemm: defineOp<{ readonly transB: boolean; readonly alpha: number }>({
    infer([a, b, c], { transB }) {
      const [m, k] = matrix(a, false);
      const [k2, n] = matrix(b, transB);
      if (a.shape.length !== 2 || b.shape.length !== 2 || k !== k2)
        throw new ShapeError(`gemm: ${describe(a)} times ${describe(b)}${transB ? "ᵀ" : ""}`);
      if (broadcastShapes("gemm", c.shape, [m, n]).length !== 2)
        throw new ShapeError(`gemm: ${describe(c)} added to [${m}, ${n}]`);
      return [{ dtype: a.dtype, shape: [m, n] }];
    },
    onnx: ({ transB, alpha }) => ({ type: "Gemm", attributes: { transB: flag(transB), alpha: { float: alpha } } }),
    gradient({ grad, inputs: [a, b], attributes: { transB, alpha }, needs }) {
      const db = () => (transB ? matmul(grad, a, { transA: true, alpha }) : matmul(a, grad, { transA: true, alpha }));
      return [needs(0) ? matmul(grad, b, { transB: !transB, alpha }) : undefined, needs(1) ? db() : undefined, grad];
    },
  }),
};

/** An input of an ONNX node. */
type Argument = number | OnnxCall;

/**
 * α A B of batches in standard ops. MatMul transposes nothing, so that A and B are transposed before it where they should be, or the product
 * of the others after it: A B = (Bᵀ Aᵀ)ᵀ. What moves fewer elements is done, and the smallest of A, B and A B is scaled.
 */
function standardProduct({ transA, transB, alpha }: MatmulAttributes, a: OperandType, b: OperandType): OnnxCall {
  const [rows] = matrix(a, transA);
  const [, columns] = matrix(b, transB);
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const sizes = [sizeOf(a.shape), sizeOf(b.shape), sizeOf(batch) * rows * columns];
  const smallest = sizes.indexOf(Math.min(...sizes));
  const scaled = <X extends Argument>(x: X, i: number) => (i === smallest && alpha !== 1 ? scale(x, alpha, a) : x);
  const operandA = (transposed: boolean) => (transposed ? swapLastAxes(scaled(0, 0), a.shape.length) : scaled(0, 0));
  const operandB = (transposed: boolean) => (transposed ? swapLastAxes(scaled(1, 1), b.shape.length) : scaled(1, 1));

  const moved = (ofA: boolean, ofB: boolean, ofY: boolean) =>
    [ofA, ofB, ofY].reduce((sum, moves, i) => (moves ? sum + sizes[i] : sum), 0);
  const product: OnnxCall =
    moved(transA, transB, false) <= moved(!transA, !transB, true)
      ? { type: "MatMul", inputs: [operandA(transA), operandB(transB)] }
      : swapLastAxes({ type: "MatMul", inputs: [operandB(!transB), operandA(!transA)] }, batch.length + 2);
  return scaled(product, 2);
}

function scale(x: Argument, by: number, { dtype }: OperandType): OnnxCall {
  return {
    type: "Mul",
    inputs: [x, CONSTANT],
    constants: [halvesIn(dtype, { dtype: "float32", shape: [], data: Float32Array.of(by) })],
  };
}

function swapLastAxes(x: Argument, rank: number): OnnxCall {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return { type: "Transpose", attributes: { perm: [...axes.slice(0, -2), rank - 1, rank - 2] }, inputs: [x] };
}

/** α A B over the last two axes, either operand transposed on the way; leading axes broadcast. */
export function matmul(
  a: Value,
  b: Value,
  { transA = false, transB = false, alpha = 1 }: Partial<MatmulAttributes> = {},
): Value {
  const [y] = a.graph.apply("matmul", [a, b], { transA, transB, alpha });
  return y;
}

/** α A B + C for matrices A [M, K], B [K, N] or [N, K] with transB, and C that broadcasts to [M, N]. */
export function gemm(
  a: Value,
  b: Value,
  c: Value,
  { transB = false, alpha = 1 }: Partial<MatmulAttributes> = {},
): Value {
  const [y] = a.graph.apply("gemm", [a, b, c], { transB, alpha });
  return y;
}

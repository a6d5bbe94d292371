import { expect, test } from "vitest";
import { CPU_DIALECT, WEBGPU_DIALECT } from "../dialect.ts";
import type { MatmulAttributes } from "./matrix.ts";
import { matrixOps } from "./matrix.ts";

const said = (a: number[], b: number[], attributes: Partial<MatmulAttributes>, dialect = WEBGPU_DIALECT) =>
  matrixOps.matmul.onnx(
    { transA: false, transB: false, alpha: 1, ...attributes },
    [a, b].map((shape) => ({ dtype: "float32" as const, shape })),
    dialect,
  );

const [TOKENS, FEATURES] = [64, 8];
const query = [2, 4, TOKENS, FEATURES];
const scores = [2, 4, TOKENS, TOKENS];

test("a product is one node where the engine has it", () => {
  expect(said(query, query, { transB: true, alpha: 0.5 }, CPU_DIALECT)).toMatchObject({ type: "FusedMatMul" });
});

test("without it, matrices are Gemm's", () => {
  expect(said([5, 3], [5, 4], { transA: true, alpha: 2 })).toMatchObject({
    type: "Gemm",
    attributes: { transA: 1, transB: 0, alpha: { float: 2 } },
  });
});

test("attention's keys are transposed and its queries scaled, not the larger scores", () => {
  expect(said(query, query, { transB: true, alpha: 0.5 })).toMatchObject({
    type: "MatMul",
    inputs: [
      { type: "Mul", inputs: [0, 2] },
      { type: "Transpose", attributes: { perm: [0, 1, 3, 2] }, inputs: [1] },
    ],
  });
});

test("where scores would be transposed, the product is: Aᵀ B = (Bᵀ A)ᵀ", () => {
  expect(said(scores, query, { transA: true })).toMatchObject({
    type: "Transpose",
    inputs: [{ type: "MatMul", inputs: [{ type: "Transpose", inputs: [1] }, 0] }],
  });
});

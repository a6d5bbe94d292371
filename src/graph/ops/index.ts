import type { Op } from "../op.ts";
import { attentionOps } from "./attention.ts";
import { convolutionOps } from "./convolution.ts";
import { elementwiseOps } from "./elementwise.ts";
import { layoutOps } from "./layout.ts";
import { matrixOps } from "./matrix.ts";
import { reduceOps } from "./reduce.ts";

/** Every op of the engine. An op without its shape rule, ONNX node or gradient rule does not compile. */
const table = { ...elementwiseOps, ...layoutOps, ...reduceOps, ...matrixOps, ...convolutionOps, ...attentionOps };

export type OpName = keyof typeof table;
export type AttributesOf<N extends OpName> = (typeof table)[N] extends Op<infer A> ? A : never;

/** The table with each op's own attribute type, which a lookup by a variable name would lose. */
export const ops: { readonly [N in OpName]: Op<AttributesOf<N>> } = table;

export * from "./attention.ts";
export * from "./convolution.ts";
export * from "./elementwise.ts";
export * from "./layout.ts";
export * from "./matrix.ts";
export * from "./reduce.ts";

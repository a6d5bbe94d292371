import type { Dialect } from "./dialect.ts";
import type { OnnxAttribute } from "./onnx.ts";
import type { HostTensor, Shape } from "../tensor/tensor.ts";
import type { Value, ValueType } from "./graph.ts";

/** The attributes of an op that has none. */
export type NoAttributes = object;

/** What a node in the model reads: a value as it is computed with, which may be in half precision. */
export interface OperandType {
  readonly dtype: HostTensor["dtype"];
  readonly shape: Shape;
}

/** An op: its shape rule, its ONNX node and its gradient rule, in one place. */
export interface Op<A extends object> {
  /** The outputs' types. @throws ShapeError when the inputs do not fit. */
  infer(inputs: readonly ValueType[], attributes: A): ValueType[];
  /** What computes it in ONNX. */
  onnx(attributes: A, inputs: readonly OperandType[], dialect: Dialect): OnnxCall;
  /** Whether gradients come through all of its outputs; else through the first, and further ones are statistics that carry none. */
  readonly allOutputs?: boolean;
  /** Gradients for its inputs, or why it has none. */
  gradient: GradientRule<A> | "not differentiable";
}

/** An ONNX node, and those whose results it takes. */
export interface OnnxCall {
  readonly type: string;
  /** "com.microsoft" for ONNX Runtime's own ops. */
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Constants that follow the op's inputs: axes, shapes (int64 in the file), scales. */
  readonly constants?: readonly OnnxConstant[];
  /**
   * What the node takes: the op's inputs and this call's constants by their place, "" for an optional input left out, or what another node
   * computes. When absent, all of the op's inputs and then the constants.
   */
  readonly inputs?: readonly (number | "" | OnnxCall)[];
}

export type OnnxConstant = HostTensor | { readonly dtype: "int64"; readonly values: readonly number[] };

export interface GradientContext<A extends object> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The loss's gradient with respect to the first output. */
  readonly grad: Value;
  /** The loss's gradients with respect to the outputs: the first one's, or those of all where the op says so. */
  readonly grads: readonly Value[];
  readonly attributes: A;
  /** Of the device that the gradients are for. */
  readonly dialect: Dialect;
  /** Whether input `i` needs a gradient: rules skip the work where it does not. */
  readonly needs: (i: number) => boolean;
}

/** Gradients in the order of the inputs. They may have a broadcast shape: `gradient` sums them to the input's once, for all ops. */
export type GradientRule<A extends object> = (context: GradientContext<A>) => readonly (Value | undefined)[];

/** Inputs whose shapes or types do not fit an op: a mistake in a model function, or a config that contradicts itself. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** Fixes an op's attribute type while keeping its literal shape. */
export function defineOp<A extends object>(op: Op<A>): Op<A> {
  return op;
}

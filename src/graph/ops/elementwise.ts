import { describe, type Value, type ValueType } from "../graph.ts";
import { defineOp, ShapeError, type GradientRule, type OnnxCall, type NoAttributes } from "../op.ts";
import { broadcastShapes } from "../shapes.ts";

/** Ops that work on each element by itself. Binary ones broadcast as NumPy does. */

function unary(onnx: OnnxCall, gradient: GradientRule<NoAttributes>) {
  return defineOp<NoAttributes>({
    infer: ([x]) => [float("unary op", x)],
    onnx: () => onnx,
    gradient,
  });
}

function binary(type: string, gradient: GradientRule<NoAttributes>) {
  return defineOp<NoAttributes>({
    infer([a, b]) {
      float(type, a);
      float(type, b);
      return [{ dtype: "float32", shape: broadcastShapes(type, a.shape, b.shape) }];
    },
    onnx: () => ({ type }),
    gradient,
  });
}

function float(op: string, type: ValueType): ValueType {
  if (type.dtype !== "float32") throw new ShapeError(`${op}: expected float32, got ${describe(type)}`);
  return { dtype: type.dtype, shape: type.shape };
}

export const elementwiseOps = {
  // y = a + b; da = dy, db = dy
  add: binary("Add", ({ grad }) => [grad, grad]),
  // y = a - b; da = dy, db = -dy
  sub: binary("Sub", ({ grad, needs }) => [grad, needs(1) ? neg(grad) : undefined]),
  // y = a b; da = b dy, db = a dy
  mul: binary("Mul", ({ grad, inputs: [a, b], needs }) => [
    needs(0) ? mul(grad, b) : undefined,
    needs(1) ? mul(grad, a) : undefined,
  ]),
  // y = a / b; da = dy / b, db = -y dy / b
  div: binary("Div", ({ grad, inputs: [, b], outputs: [y], needs }) => {
    const da = div(grad, b);
    return [da, needs(1) ? neg(mul(da, y)) : undefined];
  }),
  // y = -x; dx = -dy
  neg: unary({ type: "Neg" }, ({ grad }) => [neg(grad)]),
  // y = x; dx = 0: what is learnt does not reach behind it
  detach: unary({ type: "Identity" }, () => [undefined]),
  // y = eˣ; dx = y dy
  exp: unary({ type: "Exp" }, ({ grad, outputs: [y] }) => [mul(grad, y)]),
  // y = ln x; dx = dy / x
  log: unary({ type: "Log" }, ({ grad, inputs: [x] }) => [div(grad, x)]),
  // y = √x; dx = dy / 2y
  sqrt: unary({ type: "Sqrt" }, ({ grad, outputs: [y] }) => [div(mul(grad, 0.5), y)]),
  // y = sin x; dx = cos x dy
  sin: unary({ type: "Sin" }, ({ grad, inputs: [x] }) => [mul(grad, cos(x))]),
  // y = cos x; dx = -sin x dy
  cos: unary({ type: "Cos" }, ({ grad, inputs: [x] }) => [neg(mul(grad, sin(x)))]),
  // y = tanh x; dx = (1 - y²) dy
  tanh: unary({ type: "Tanh" }, ({ grad, outputs: [y] }) => [mul(grad, sub(1, mul(y, y)))]),
  // y = σ(x); dx = y (1 - y) dy
  sigmoid: unary({ type: "Sigmoid" }, ({ grad, outputs: [y] }) => [mul(grad, mul(y, sub(1, y)))]),
  // y = ln(1 + eˣ), in ONNX Runtime without overflow; dx = σ(x) dy
  softplus: unary({ type: "Softplus" }, ({ grad, inputs: [x] }) => [mul(grad, sigmoid(x))]),
  // y = erf x; dx = 2/√π exp(-x²) dy
  erf: unary({ type: "Erf" }, ({ grad, inputs: [x] }) => [mul(grad, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x)))))]),
  // y = max(x, 0); dx = dy where x > 0, that is sign(y) dy
  relu: unary({ type: "Relu" }, ({ grad, outputs: [y] }) => [mul(grad, sign(y))]),
  sign: defineOp<NoAttributes>({
    infer: ([x]) => [float("sign", x)],
    onnx: () => ({ type: "Sign" }),
    gradient: "not differentiable",
  }),
  // y = x σ(αx) with s = σ(αx); dx = s (1 + α (x - y)) dy, since x (1 - s) = x - y
  swish: defineOp<{ readonly alpha: number }>({
    infer: ([x]) => [float("swish", x)],
    onnx: ({ alpha }) => ({ type: "QuickGelu", domain: "com.microsoft", attributes: { alpha: { float: alpha } } }),
    gradient: ({ grad, inputs: [x], outputs: [y], attributes: { alpha }, dialect }) => {
      if (dialect.halves) {
        // x - y would be lost in the rounding of y
        const scaled = alpha === 1 ? x : mul(alpha, x);
        const s = sigmoid(scaled);
        return [mul(grad, mul(s, add(1, mul(scaled, sub(1, s)))))];
      }
      const slope = alpha === 1 ? sub(x, y) : mul(alpha, sub(x, y));
      return [mul(grad, mul(sigmoid(alpha === 1 ? x : mul(alpha, x)), add(1, slope)))];
    },
  }),
  // y = x Φ(x); dx = (Φ(x) + x φ(x)) dy, with Φ(x) = (1 + erf(x/√2)) / 2 and φ(x) = exp(-x²/2) / √2π
  gelu: unary({ type: "Gelu", domain: "com.microsoft" }, ({ grad, inputs: [x] }) => {
    const cumulative = mul(0.5, add(1, erf(mul(Math.SQRT1_2, x))));
    const density = mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, mul(x, x))));
    return [mul(grad, add(cumulative, mul(x, density)))];
  }),
};

/** A value or a number; at least one operand of a binary op is a value. */
export type Operand = Value | number;

type Binary = "add" | "sub" | "mul" | "div";
type Unary = Exclude<keyof typeof elementwiseOps, Binary | "swish">;

function binaryOf(op: Binary) {
  return (a: Operand, b: Operand): Value => {
    const graph = typeof a === "object" ? a.graph : typeof b === "object" ? b.graph : undefined;
    if (graph === undefined) throw new ShapeError(`${op} of two numbers`);
    const operand = (x: Operand) => (typeof x === "number" ? graph.scalar(x) : x);
    const [y] = graph.apply(op, [operand(a), operand(b)], {});
    return y;
  };
}

function unaryOf(op: Unary) {
  return (x: Value): Value => {
    const [y] = x.graph.apply(op, [x], {});
    return y;
  };
}

export const add = binaryOf("add");
export const sub = binaryOf("sub");
export const mul = binaryOf("mul");
export const div = binaryOf("div");
export const neg = unaryOf("neg");
/** The same values, through which no gradient goes. */
export const detach = unaryOf("detach");
export const exp = unaryOf("exp");
export const log = unaryOf("log");
export const sqrt = unaryOf("sqrt");
export const sin = unaryOf("sin");
export const cos = unaryOf("cos");
export const tanh = unaryOf("tanh");
export const sigmoid = unaryOf("sigmoid");
export const softplus = unaryOf("softplus");
export const erf = unaryOf("erf");
export const relu = unaryOf("relu");
export const sign = unaryOf("sign");
/** x Φ(x), exact. */
export const gelu = unaryOf("gelu");

/** x σ(αx): SiLU for α = 1, CLIP's quick GELU for α = 1.702. */
export function swish(x: Value, alpha = 1): Value {
  const [y] = x.graph.apply("swish", [x], { alpha });
  return y;
}

/** ln σ(x) = -softplus(-x), finite for every float. */
export function logSigmoid(x: Value): Value {
  return neg(softplus(neg(x)));
}

import * as o from "../../src/graph/ops/index.ts";
import type { OpName } from "../../src/graph/ops/index.ts";
import { int32 } from "../../src/tensor/tensor.ts";
import type { GradientCase } from "./gradient-check.ts";

const positive = (x: number) => Math.abs(x) + 0.5;
const awayFromZero = (x: number) => x + Math.sign(x) * 0.2;
const unaryShapes = [[[5]], [[2, 3]], [[2, 1, 4]]];
const binaryShapes = [
  [
    [2, 3],
    [2, 3],
  ],
  [
    [4, 1, 3],
    [2, 1],
  ],
  [[3], [2, 2, 3]],
  [[2, 3], []],
];

function over(
  shapes: readonly (readonly (readonly number[])[])[],
  build: GradientCase["build"],
  domain?: (x: number) => number,
): GradientCase[] {
  return shapes.map((each) => ({ shapes: each, build, ...(domain && { domain }) }));
}

/** Cases for every op that has a gradient; the compiler asks for one when an op is added. */
type Differentiable = Exclude<OpName, "sign" | "oneHot" | "convTranspose2d" | "detach">;

export const cases: Record<Differentiable, GradientCase[]> = {
  add: over(binaryShapes, o.add),
  sub: over(binaryShapes, o.sub),
  mul: over(binaryShapes, o.mul),
  div: over(binaryShapes, o.div, (x) => positive(x) * Math.sign(x)),
  neg: over(unaryShapes, o.neg),
  exp: over(unaryShapes, o.exp),
  log: over(unaryShapes, o.log, positive),
  sqrt: over(unaryShapes, o.sqrt, positive),
  sin: over(unaryShapes, o.sin),
  cos: over(unaryShapes, o.cos),
  tanh: over(unaryShapes, o.tanh),
  sigmoid: over(unaryShapes, o.sigmoid),
  softplus: over(unaryShapes, o.softplus),
  erf: over(unaryShapes, o.erf),
  relu: over(unaryShapes, o.relu, awayFromZero),
  swish: [...over(unaryShapes, (x) => o.swish(x)), ...over(unaryShapes, (x) => o.swish(x, 1.702))],
  gelu: over(unaryShapes, o.gelu),
  reshape: over([[[2, 6]]], (x) => o.reshape(x, [3, 4])),
  transpose: over([[[2, 3, 4]]], (x) => o.transpose(x, [2, 0, 1])),
  concat: over(
    [
      [
        [2, 3],
        [2, 1],
      ],
    ],
    (a, b) => o.concat([a, b, a], 1),
  ),
  slice: [
    ...over([[[3, 5]]], (x) => o.slice(x, 1, 1, 4)),
    ...over([[[3, 5]]], (x) => o.reverse(x, [0, 1])),
    ...over([[[4, 3]]], (x) => o.reverse(o.slice(x, 0, 1, 3), [1])),
  ],
  split: [
    ...over([[[2, 6]]], (x) => {
      const [first, second] = o.halves(x);
      return o.mul(first, o.exp(second));
    }),
    // no gradient through one of them
    ...over([[[2, 6]]], (x) => o.halves(x)[1]),
  ],
  pad: over([[[2, 3]]], (x) => o.pad(x, [1, 0], [0, 2])),
  shift: [...over([[[3, 4]]], (x) => o.shift(x, 1, 2)), ...over([[[3, 4]]], (x) => o.shift(x, 0, -1))],
  expand: over([[[2, 1]], [[1]]], (x) => o.expand(x, [3, 2, 4])),
  gather: over([[[4, 3]]], (x) => o.gather(x, x.graph.constant(int32([1, 0, 1, 3], [2, 2])))),
  sum: [
    ...over([[[2, 3, 4]]], (x) => o.sum(x, [0, -1])),
    ...over([[[2, 3]]], (x) => o.sum(x)),
    ...over([[[2, 3]]], (x) => o.sum(x, [1], true)),
  ],
  mean: [...over([[[2, 3, 4]]], (x) => o.mean(x, [1])), ...over([[[2, 3]]], (x) => o.mean(x, [0, 1], true))],
  softmax: over([[[2, 5]], [[2, 2, 3]]], o.softmax),
  logSoftmax: over([[[2, 5]], [[2, 2, 3]]], o.logSoftmax),
  batchNormalize: [
    ...over([[[3, 2, 2, 2], [2], [2]]], (x, weight, bias) => o.batchNormalize(x, weight, bias, 1e-3).y),
    // twice, since ONNX Runtime may share buffers between equal layers
    ...over([[[4, 2, 1, 3], [2], [2]]], (x, weight, bias) => {
      const { y } = o.batchNormalize(x, weight, bias, 1e-3);
      return o.batchNormalize(o.mul(y, y), weight, bias, 1e-3).y;
    }),
  ],
  normalize: over([[[2, 6]], [[2, 3, 8]]], (x) => o.normalize(x, 1e-5)),
  matmul: [
    ...over(
      [
        [
          [2, 3],
          [3, 4],
        ],
        [
          [2, 2, 3],
          [3, 4],
        ],
        [
          [2, 2, 3],
          [2, 3, 2],
        ],
        [
          [2, 1, 2, 3],
          [3, 3, 2],
        ],
      ],
      (a, b) => o.matmul(a, b),
    ),
    ...over(
      [
        [
          [3, 2],
          [3, 4],
        ],
        [
          [2, 3, 2],
          [2, 3, 4],
        ],
      ],
      (a, b) => o.matmul(a, b, { transA: true, alpha: 0.5 }),
    ),
    ...over(
      [
        [
          [2, 3],
          [4, 3],
        ],
        [
          [2, 2, 3],
          [4, 3],
        ],
        [
          [2, 2, 3],
          [2, 4, 3],
        ],
      ],
      (a, b) => o.matmul(a, b, { transB: true, alpha: 2 }),
    ),
    ...over(
      [
        [
          [3, 2],
          [4, 3],
        ],
      ],
      (a, b) => o.matmul(a, b, { transA: true, transB: true }),
    ),
  ],
  gemm: [
    ...over(
      [
        [[2, 3], [4, 3], [4]],
        [
          [2, 3],
          [4, 3],
          [2, 4],
        ],
      ],
      (a, b, c) => o.gemm(a, b, c, { transB: true, alpha: 0.5 }),
    ),
    ...over(
      [
        [
          [2, 3],
          [3, 4],
          [1, 4],
        ],
      ],
      (a, b, c) => o.gemm(a, b, c),
    ),
  ],
  conv2d: [
    ...over(
      [
        [[2, 3, 5, 4], [2, 3, 3, 3], [2]],
        [[1, 2, 20, 18], [3, 2, 3, 3], [3]],
        [[5, 2, 4, 3], [2, 2, 3, 3], [2]],
      ],
      (x, w, b) => o.conv2d(x, w, b, { padding: 1 }),
    ),
    // the result as large as the input, by padding that differs from side to side
    ...over([[[2, 2, 5, 6], [3, 2, 4, 3], [3]]], (x, w, b) => o.conv2d(x, w, b, { padding: [1, 2, 2, 0] })),
    // larger kernels than pictures
    ...over([[[9, 2, 1, 2], [2, 2, 3, 3], [2]]], (x, w, b) => o.conv2d(x, w, b, { padding: 1 })),
    ...over(
      [
        [
          [2, 2, 6, 6],
          [3, 2, 3, 3],
        ],
        [
          [1, 2, 7, 6],
          [3, 2, 3, 3],
        ],
      ],
      (x, w) => o.conv2d(x, w, undefined, { stride: 2, padding: 1 }),
    ),
    ...over(
      [
        [
          [1, 2, 6, 6],
          [2, 2, 3, 3],
        ],
      ],
      (x, w) => o.conv2d(x, w, undefined, { stride: 2, padding: [0, 0, 1, 1] }),
    ),
    ...over([[[2, 3, 4, 4], [2, 3, 1, 1], [2]]], (x, w, b) => o.conv2d(x, w, b)),
    ...over(
      [
        [
          [2, 3, 5, 5],
          [3, 1, 3, 3],
        ],
      ],
      (x, w) => o.conv2d(x, w, undefined, { padding: 1, groups: 3 }),
    ),
    ...over([[[1, 2, 8, 8], [4, 2, 4, 4], [4]]], (x, w, b) => o.conv2d(x, w, b, { stride: 4 })),
  ],
  fusedAttention: [
    ...over(
      [
        [
          [2, 3, 4],
          [2, 5, 4],
          [2, 5, 4],
        ],
        [
          [1, 4, 6],
          [1, 4, 6],
          [1, 4, 6],
        ],
      ],
      (q, k, v) => o.fusedAttention(q, k, v, 2),
    ),
    // in parts of two queries on the way back
    ...over(
      [
        [
          [2, 5, 4],
          [2, 3, 4],
          [2, 3, 4],
        ],
      ],
      (q, k, v) => o.fusedAttention(q, k, v, 2, 24),
    ),
  ],
  upsample2x: over([[[1, 2, 2, 3]]], o.upsampleNearest2x),
  averagePool2x: over([[[1, 2, 4, 2]]], o.averagePool2x),
};

/** ONNX Runtime has no statistics of batches on WebGPU; only pretraining, on the CPU, needs them. */
export const CPU_ONLY: ReadonlySet<string> = new Set(["batchNormalize"]);

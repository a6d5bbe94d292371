/** Where graphs can run. */
export const DEVICES = ["cpu", "cuda", "webgpu", "openvino"] as const;
export type Device = (typeof DEVICES)[number];

/**
 * How products and convolutions are computed: "tf32" rounds what they multiply to 10 bits of mantissa and sums in float32, which
 * NVIDIA's tensor cores do several times as fast; "bfloat16" keeps 7 bits, of what is between products too, as Intel's AMX multiplies.
 * "float16" keeps a U-Net's matrices in half precision while they do not train; what is computed with them is as exact as the device's default.
 * "mixed-float16" does so, and computes products and what is between them in float16 too, as PyTorch's autocast does.
 */
export const PRECISIONS = ["float32", "tf32", "bfloat16", "float16", "mixed-float16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What each device can do; the first is its default. */
export const PRECISIONS_OF = {
  cpu: ["float32", "float16"],
  cuda: ["tf32", "float32", "float16", "mixed-float16"],
  webgpu: ["float32", "float16", "mixed-float16"],
  openvino: ["float32", "bfloat16"],
} as const satisfies Record<Device, readonly [Precision, ...Precision[]]>;

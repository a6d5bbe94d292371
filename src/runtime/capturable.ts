import { nodesBehind, type Node, type Value } from "../graph/graph.ts";

/** Which graphs' runs can be captured: recorded by a device and given again. */

/** The same elements, in the shape in which they were computed: into a buffer of the caller's, ONNX Runtime's reshape is a copy. */
export function beforeReshape(value: Value): Value {
  const { source } = value;
  return source.kind === "node" && source.node.op === "reshape" ? beforeReshape(source.node.inputs[0]) : value;
}

/**
 * The outputs as a captured graph has to compute them, some in the shape before a reshape.
 *
 * What is captured are the kernels that compute, not copies: an output that is a copy of another value would stay as it was when the graph was
 * captured, in every run thereafter. So each has to come out of a node of its own.
 *
 * @returns undefined where an output cannot but be a copy, or a node has no kernel that can be captured
 */
export function capturable<K extends string>(
  outputs: Readonly<Record<K, Value>>,
): Readonly<Record<K, Value>> | undefined {
  const computed = Object.entries<Value>(outputs).map(([name, value]) => [name, beforeReshape(value)] as const);
  const values = computed.map(([, value]) => value);
  const areComputed = values.every(({ source }) => source.kind === "node") && new Set(values).size === values.length;
  return areComputed && nodesBehind(values).every(hasKernel)
    ? (Object.fromEntries(computed) as Record<K, Value>)
    : undefined;
}

/** WebGPU's attention is captured only in its flash form, which takes heads whose size is a multiple of 4, or of 8 on Qualcomm's GPUs. */
function hasKernel(node: Node): boolean {
  if (node.op !== "fusedAttention") return true;
  const { heads } = node.attributes as Node<"fusedAttention">["attributes"];
  return (node.inputs[0].shape[2] / heads) % 8 === 0;
}

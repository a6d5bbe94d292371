import { encodeOnnx } from "../../src/graph/onnx.ts";
import { modelOf, type EncodeOptions } from "../../src/graph/encode.ts";
import type { Value } from "../../src/graph/graph.ts";
import { BACKENDS } from "../../src/runtime/backends/index.ts";
import { float16Array, float32Array, int32, sizeOf, type HostTensor } from "../../src/tensor/tensor.ts";

/**
 * Computes a graph node by node, each in a session of its own. On a processor ONNX Runtime computes most of a graph in float32 where it says
 * float16: it casts around what it has no kernel for, and then takes away casts to float16 and back. With one node at a time every value is
 * rounded as the graph says, as on a device that computes with 16 bits.
 * @param feeds by the names of the model: `input:NAME`, `parameter:NAME`
 */
export async function runNodeByNode(
  outputs: Readonly<Record<string, Value>>,
  feeds: ReadonlyMap<string, HostTensor>,
  options: EncodeOptions,
): Promise<Map<string, HostTensor>> {
  const { onnx, values } = modelOf(outputs, options);
  const held = new Map<string, HostTensor>(feeds);
  const stored = new Map(onnx.initializers.map((initializer) => [initializer.name, initializer]));
  const reads = new Map<string, number>();
  for (const { inputs } of onnx.nodes) for (const name of inputs) reads.set(name, (reads.get(name) ?? 0) + 1);
  const wanted = new Set(onnx.outputs.map(({ name }) => name));
  const infoOf = (name: string) => {
    const type = values.get(name);
    if (type === undefined) throw new Error(`${name} has no type`);
    return { name, ...type };
  };
  const pending = [...onnx.nodes];
  const ready = (name: string) => name === "" || held.has(name) || stored.has(name);
  while (pending.length > 0) {
    const at = pending.findIndex(({ inputs }) => inputs.every(ready));
    const [node] = pending.splice(at, 1);
    const fed = [...new Set(node.inputs)].filter((name) => name !== "" && !stored.has(name));
    const session = await BACKENDS.cpu.open(
      encodeOnnx({
        nodes: [node],
        inputs: fed.map(infoOf),
        outputs: node.outputs.map(infoOf),
        initializers: [...new Set(node.inputs)].flatMap((name) => stored.get(name) ?? []),
      }),
      { threads: 1 },
    );
    for (const name of fed) session.input(name, held.get(name) ?? bufferOf(infoOf(name)));
    for (const name of node.outputs) {
      const result = bufferOf(infoOf(name));
      held.set(name, result);
      session.output(name, result);
    }
    await session.run();
    await session.release();
    for (const name of node.inputs) {
      const left = (reads.get(name) ?? 0) - 1;
      reads.set(name, left);
      if (left === 0 && !wanted.has(name)) held.delete(name);
    }
  }
  return new Map([...wanted].flatMap((name) => (held.has(name) ? [[name, held.get(name)]] : []))) as Map<
    string,
    HostTensor
  >;
}

function bufferOf({ dtype, shape }: Pick<HostTensor, "dtype" | "shape">): HostTensor {
  const size = sizeOf(shape);
  if (dtype === "float16") return { dtype, shape, data: float16Array(size) };
  return dtype === "float32" ? { dtype, shape, data: float32Array(size) } : int32(new Int32Array(size), shape);
}

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Names of what a model takes and of what it gives, each in the model's order. */
export interface PortNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Fields of onnx.proto3: ModelProto.graph, GraphProto.input and .output, ValueInfoProto.name. */
const [GRAPH, INPUT, OUTPUT, NAME] = [7, 11, 12, 1];

/** Reads them from a model that the encoder wrote. @throws Error on what is none */
export function portNames(model: Uint8Array): PortNames {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nameOf = (info: Uint8Array): string => {
    let name = "";
    eachMessage(info, (field, bytes) => {
      if (field === NAME) name = new TextDecoder().decode(bytes);
    });
    return name;
  };
  eachMessage(model, (field, graph) => {
    if (field === GRAPH)
      eachMessage(graph, (inner, bytes) => {
        if (inner === INPUT) inputs.push(nameOf(bytes));
        else if (inner === OUTPUT) outputs.push(nameOf(bytes));
      });
  });
  return { inputs, outputs };
}

/** Calls for each field with a length: a text, or a message in this one. Nothing is copied, weights least of all. */
function eachMessage(bytes: Uint8Array, take: (field: number, bytes: Uint8Array) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) {
      const length = reader.uint32();
      const start = reader.pos;
      reader.pos += length;
      if (reader.pos > reader.len) throw new Error("no ONNX model: it ends within a field");
      take(field, bytes.subarray(start, reader.pos));
    } else reader.skip(type);
  }
}

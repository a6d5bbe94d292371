import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { HostTensor } from "../tensor/tensor.ts";

/** Writing ONNX protobuf (onnx.proto3, IR version 10): only the messages and fields that this project's graphs use. */

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: keyof typeof DATA_TYPES;
  /** A word is a dimension of any size. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers: readonly { readonly name: string; readonly tensor: OnnxTensor }[];
}

export type OnnxTensor =
  HostTensor | { readonly dtype: "int64"; readonly shape: readonly number[]; readonly data: BigInt64Array };

/** The standard operator set; ONNX Runtime's own operators are version 1 of their domain. */
const OPSET = 20;
const IR_VERSION = 10;
/** TensorProto.DataType. */
export const DATA_TYPES = { float32: 1, int32: 6, int64: 7, float16: 10 } as const;
/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Serialises a model (ModelProto). */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(IR_VERSION);
  // the producer's name, before the operator sets: OpenVINO takes for ONNX what begins with three different fields
  writer.tag(2, WireType.LengthDelimited).string("rpo");
  for (const [domain, version] of [["", OPSET] as const, ["com.microsoft", 1] as const]) {
    message(writer, 8, (opset) => {
      opset.tag(1, WireType.LengthDelimited).string(domain);
      opset.tag(2, WireType.Varint).int64(version);
    });
  }
  message(writer, 7, (graph) => {
    for (const node of model.nodes) message(graph, 1, (w) => writeNode(w, node));
    graph.tag(2, WireType.LengthDelimited).string("rpo");
    for (const { name, tensor } of model.initializers) message(graph, 5, (w) => writeTensor(w, name, tensor));
    for (const input of model.inputs) message(graph, 11, (w) => writeValueInfo(w, input));
    for (const output of model.outputs) message(graph, 12, (w) => writeValueInfo(w, output));
  });
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.tag(1, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) writer.tag(2, WireType.LengthDelimited).string(output);
  writer.tag(4, WireType.LengthDelimited).string(node.type);
  for (const [name, value] of Object.entries(node.attributes))
    message(writer, 5, (w) => writeAttribute(w, name, value));
  if (node.domain !== "") writer.tag(7, WireType.LengthDelimited).string(node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, value: OnnxAttribute): void {
  writer.tag(1, WireType.LengthDelimited).string(name);
  const type = (kind: keyof typeof ATTRIBUTE_TYPES) => writer.tag(20, WireType.Varint).int32(ATTRIBUTE_TYPES[kind]);
  if (typeof value === "number") {
    writer.tag(3, WireType.Varint).int64(value);
    type("int");
  } else if (typeof value === "string") {
    writer.tag(4, WireType.LengthDelimited).string(value);
    type("string");
  } else if ("float" in value) {
    writer.tag(2, WireType.Bit32).float(value.float);
    type("float");
  } else {
    for (const item of value) writer.tag(8, WireType.Varint).int64(item);
    type("ints");
  }
}

function writeTensor(writer: BinaryWriter, name: string, tensor: OnnxTensor): void {
  for (const dimension of tensor.shape) writer.tag(1, WireType.Varint).int64(dimension);
  writer.tag(2, WireType.Varint).int32(DATA_TYPES[tensor.dtype]);
  writer.tag(8, WireType.LengthDelimited).string(name);
  const { buffer, byteOffset, byteLength } = tensor.data;
  writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(buffer, byteOffset, byteLength));
}

function writeValueInfo(writer: BinaryWriter, info: OnnxValueInfo): void {
  writer.tag(1, WireType.LengthDelimited).string(info.name);
  message(writer, 2, (type) =>
    message(type, 1, (tensor) => {
      tensor.tag(1, WireType.Varint).int32(DATA_TYPES[info.dtype]);
      message(tensor, 2, (shape) => {
        for (const dimension of info.shape)
          message(shape, 1, (w) =>
            typeof dimension === "string"
              ? w.tag(2, WireType.LengthDelimited).string(dimension)
              : w.tag(1, WireType.Varint).int64(dimension),
          );
      });
    }),
  );
}

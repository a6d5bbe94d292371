import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * TensorBoard's messages (tensorboard/compat/proto/event.proto, summary.proto): only those that a run's log needs. Numbers and
 * pictures are written as PyTorch's SummaryWriter does, which every reader of event files knows.
 */

/** One Event: what happened at a step. */
export interface LogEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly what: Opening | Start | Values;
}

/** The first event of every file. */
export type Opening = { readonly kind: "opening" };
/** A new session goes on at this step: whatever was logged for it and for later steps no longer counts. */
export type Start = { readonly kind: "start" };
export type Values = { readonly kind: "values"; readonly values: readonly TaggedValue[] };

/** What comes before the first slash of a tag is the group under which TensorBoard shows it. */
export type TaggedValue = { readonly tag: string } & ({ readonly scalar: number } | { readonly png: Uint8Array });

const FILE_VERSION = "brain.Event:2";
/** SessionLog.SessionStatus.START. */
const SESSION_START = 1;
/** Summary.Image.colorspace of RGB. */
const RGB = 3;

/** Serialises an Event. */
export function encodeEvent({ wallTime, step, what }: LogEvent): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Bit64).double(wallTime);
  if (step !== 0) writer.tag(2, WireType.Varint).int64(step);
  switch (what.kind) {
    case "opening":
      writer.tag(3, WireType.LengthDelimited).string(FILE_VERSION);
      break;
    case "values":
      message(writer, 5, (summary) => {
        for (const value of what.values) message(summary, 1, (w) => writeValue(w, value));
      });
      break;
    case "start":
      message(writer, 7, (session) => session.tag(1, WireType.Varint).int32(SESSION_START));
      break;
  }
  return writer.finish();
}

function writeValue(writer: BinaryWriter, value: TaggedValue): void {
  writer.tag(1, WireType.LengthDelimited).string(value.tag);
  if ("scalar" in value) writer.tag(2, WireType.Bit32).float(value.scalar);
  else message(writer, 4, (image) => writeImage(image, value.png));
}

function writeImage(writer: BinaryWriter, png: Uint8Array): void {
  const { width, height } = sizeOfPng(png);
  writer.tag(1, WireType.Varint).int32(height);
  writer.tag(2, WireType.Varint).int32(width);
  writer.tag(3, WireType.Varint).int32(RGB);
  writer.tag(4, WireType.LengthDelimited).bytes(png);
}

/** The size in a PNG's first chunk, IHDR: two big-endian numbers after the signature and the chunk's head, 8 bytes each. */
function sizeOfPng(png: Uint8Array): { readonly width: number; readonly height: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}
